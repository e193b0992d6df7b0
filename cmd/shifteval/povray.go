package main

import (
	"fmt"
	"strings"
)

// What flows here: what stands in a scene ─▶ text for POV-Ray.
//
// One rendering has the light of three lamps in its three colours, and all things are grey: red is what the ceiling lamp lights, green the printer's own lamp, blue the
// window. So how bright each is, which changes as a print goes on, is decided later, in the camera.

// povWriter writes one scene. Renderings that are kept are known by every letter of it.
type povWriter struct{ strings.Builder }

func (w *povWriter) f(form string, args ...any) { fmt.Fprintf(&w.Builder, form+"\n", args...) }

// pov is the scene with all that stands in it.
func (s *scene) pov(things []thing) string {
	w := &povWriter{}
	w.f(`#version 3.7;
global_settings { assumed_gamma 1.0 ambient_light rgb <0.9, 0.35, 0.8> max_trace_level 4 }
background { rgb <0.05, 0.01, 0.08> }
camera { perspective location <%.2f,%.2f,%.2f> sky z direction y up z right %.5f*x angle %.3f look_at <%.2f,%.2f,%.2f> }
light_source { <-250,-350,900> rgb <0.95,0,0> }
light_source { <%.1f,%.1f,%.1f> rgb <0,0.8,0> }
light_source { <1400,-500,600> rgb <0,0,0.95> }
#macro G(Grey) pigment { rgb Grey } finish { ambient 0.12 diffuse 0.75 } #end
#macro M(Grey) pigment { rgb Grey } finish { ambient 0.08 diffuse 0.55 specular 0.5 roughness 0.03 } #end`,
		s.Eye[0], s.Eye[1], s.Eye[2], float64(s.W)/float64(s.H), s.Angle, s.At[0], s.At[1], s.At[2], bedSize/2, lampY(s), lampZ(s))
	for _, t := range things {
		w.thing(t)
	}
	return w.String()
}

func (w *povWriter) thing(t thing) {
	a, b, of := t.A, t.B, finish(t.Of)
	switch t.Kind {
	case "group":
		w.f("union {")
		for _, t := range t.Has {
			w.thing(t)
		}
		w.f("translate <%.4f,%.4f,%.4f> }", a[0], a[1], a[2])
	case "box":
		form := "box { <%.3f,%.3f,%.3f>,<%.3f,%.3f,%.3f> %s }"
		if t.Of.Kind != "matte" && t.Of.Kind != "metal" {
			form = strings.ReplaceAll(form, "%.3f", "%g")
		}
		w.f(form, a[0], a[1], a[2], b[0], b[1], b[2], of)
	case "rod":
		w.f("cylinder { <%.3f,%.3f,%.3f>,<%.3f,%.3f,%.3f>,%.3f %s }", a[0], a[1], a[2], b[0], b[1], b[2], t.R[0], of)
	case "cone":
		w.f("cone { <%g,%g,%g>,%g,<%g,%g,%g>,%g %s }", a[0], a[1], a[2], t.R[0], b[0], b[1], b[2], t.R[1], of)
	case "fan":
		w.f("union {")
		for k := range blades {
			w.f("box { <-1.5,-23,5>,<1.5,-22.4,15> %s rotate y*%d }", of, k*360/blades)
		}
		w.f("rotate y*%.1f translate <%g,%g,%g> }", t.Turn, a[0], a[1], a[2])
	case "floor":
		w.f("plane { z, %.1f pigment { wood color_map { [0 rgb 0.22] [0.6 rgb 0.35] [1 rgb 0.28] } turbulence 0.1 scale 25 rotate x*90 } finish { ambient 0.12 diffuse 0.7 } }", a[2])
	case "wall":
		w.f("plane { -y, -%.1f pigment { granite color_map { [0 rgb 0.45] [1 rgb 0.6] } scale 120 } finish { ambient 0.12 diffuse 0.7 } }", a[1])
	case "cable":
		w.WriteString("sphere_sweep { b_spline " + fmt.Sprint(len(t.Way)))
		for _, p := range t.Way {
			fmt.Fprintf(w, " <%.2f,%.2f,%.2f>,%g", p[0], p[1], p[2], t.R[0])
		}
		w.f(" tolerance 0.1 %s }", of)
	case "beads":
		w.mesh(t)
	}
}

func finish(of material) string {
	switch of.Kind {
	case "matte":
		return fmt.Sprintf("G(%.3f)", of.Grey)
	case "metal":
		return fmt.Sprintf("M(%.3f)", of.Grey)
	case "glass":
		return "pigment { rgb 0.07 } finish { ambient 0.05 diffuse 0.4 specular 0.8 roughness 0.005 reflection 0.12 }"
	case "speckled":
		return "pigment { granite color_map { [0 rgb 0.2] [0.5 rgb 0.32] [1 rgb 0.5] } scale 9 } finish { ambient 0.1 diffuse 0.6 specular 0.15 roughness 0.08 }"
	}
	return "pigment { rgb 0.16 } finish { ambient 0.1 diffuse 0.65 specular 0.1 roughness 0.1 }"
}

func (w *povWriter) mesh(t thing) {
	m := &mesh{}
	for _, b := range t.Beads {
		for i := range len(b.Points) - 1 {
			m.bar(b.Points[i], b.Points[i+1], (b.Bottom+b.Top)/2, b.Top-b.Bottom)
		}
	}
	if len(m.faces) == 0 {
		return
	}
	b := make([]byte, 0, 40*len(m.vertices))
	b = fmt.Appendf(b, "mesh2 { vertex_vectors { %d", len(m.vertices))
	for _, v := range m.vertices {
		b = fmt.Appendf(b, ",<%.2f,%.2f,%.2f>", v[0], v[1], v[2])
	}
	b = fmt.Appendf(b, " } face_indices { %d", len(m.faces))
	for _, f := range m.faces {
		b = fmt.Appendf(b, ",<%d,%d,%d>", f[0], f[1], f[2])
	}
	w.f("%s } pigment { rgb %.3f } finish { ambient 0.1 diffuse 0.7 specular %.2f roughness 0.02 } }", b, t.Of.Grey, t.Of.Gloss)
}
