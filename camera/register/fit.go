package register

import (
	"math"
	"slices"
)

// What a picture can differ by from the one that was expected: millimetres lost, and what became of the camera.
const (
	lostX = iota
	lostY
	lostZ   // a little, for no axis is exact and beds bend
	camX    // pixels
	camY    //
	camTurn // pixels at the picture's left and right edge
	camZoom
	unknowns
)

type values [unknowns]float64

// state is where everything is: the pose that is believed, and what differs from it. Poses are relative to the calibration's.
type state struct {
	pose [3]float64
	v    values
}

// lens and picture that a row's numbers come from are left behind: a row says that one direction of a patch was found off pixels from where it was looked for.
type row struct {
	patch  int
	axis   direction
	a      values // how far each unknown moves it
	off    float64
	weight float64 // 1 / variance
	usual  float64 // what weight it has when all is well
	trust  float64 // 0 to 1, set by solve
}

// view is the picture's geometry, of which the middle stays where it is when the camera turns.
type view struct{ w, h int }

// place is where a patch's upper left corner is expected.
func (s *state) place(p *patch, v view) (x, y float64) {
	x, y = p.x+p.shift[0], p.y+p.shift[1]
	for i, d := range s.pose {
		x, y = x+p.move[i][0]*(d+s.v[i]), y+p.move[i][1]*(d+s.v[i])
	}
	z := s.pose[2] + s.v[lostZ]
	x, y = x+p.bend[0]*z*z, y+p.bend[1]*z*z
	r := float64(v.w) / 2
	cx, cy := (p.x+side/2-r)/r, (p.y+side/2-float64(v.h)/2)/r
	x += s.v[camX] - cy*s.v[camTurn] + cx*s.v[camZoom]
	y += s.v[camY] + cx*s.v[camTurn] + cy*s.v[camZoom]
	return x, y
}

// slopes is how far the patch moves along a direction by each unknown.
func (s *state) slopes(p *patch, v view, d direction) (a values) {
	r := float64(v.w) / 2
	cx, cy := (p.x+side/2-r)/r, (p.y+side/2-float64(v.h)/2)/r
	for i := range p.move {
		a[i] = d.x*p.move[i][0] + d.y*p.move[i][1]
	}
	z := s.pose[2] + s.v[lostZ]
	a[lostZ] += 2 * z * (d.x*p.bend[0] + d.y*p.bend[1])
	a[camX], a[camY] = d.x, d.y
	a[camTurn] = -d.x*cy + d.y*cx
	a[camZoom] = d.x*cx + d.y*cy
	return a
}

const (
	leastAlike = 0.6  // of what it is usually; a patch that is less like its template is covered by something
	noiseHangs = 6    // neighbouring pixels' noise hangs together, by smoothing and by the JPEG: so much less is learned from many
	leastNoise = 1.5  // squared steps of brightness
	finest     = 0.06 // pixels; no patch is trusted to be placed better: what is behind an edge does not move with it
	agrees     = 0.6  // pixels
	leastSeen  = 150  // of squared slopes; a direction with less shows nothing
)

// rows measures all patches in the picture where s expects them, in the whole picture or the half one.
func (s *state) rows(into []row, patches []*patch, pic *picture, level int) []row {
	v := view{pic.level[0].w, pic.level[0].h}
	scale := float64(int(1) << level)
	for i, p := range patches {
		l := &p.fine
		if level == 1 {
			l = &p.half
		}
		x, y := s.place(p, v)
		p.alike = 0
		m, ok := l.see(&pic.level[level], x/scale+1, y/scale+1)
		if ok = ok && m.alike > leastAlike*p.self; ok {
			p.alike = m.alike
		}
		for k, d := range l.axis {
			if d.seen < leastSeen/scale {
				continue
			}
			r := row{patch: i, axis: d, a: s.slopes(p, v, d), usual: 1 / (noiseHangs*leastNoise/d.seen + p.loose + finest*finest)}
			if ok {
				r.off = min(max(m.off[k], -2.5), 2.5) * scale
				r.weight = 1 / (noiseHangs*max(m.noise, leastNoise)*scale*scale/d.seen + p.loose + finest*finest)
			}
			into = append(into, r)
		}
	}
	return into
}

// known says what is known before one looks: values are about at, give or take so much.
type known struct{ at, give values }

// solve finds the change of s.v that explains the rows best, and its covariance. A row that strays counts less; with strict, one that strays far counts nothing. Without strict
// many rows that agree on a large change are believed though most others see none: they are all that can see it.
func solve(rows []row, s *state, k *known, strict bool, scratch []float64) (change values, cov [unknowns]values, ok bool) {
	rounds := 6
	if strict {
		rounds = 9
	}
	for round := range rounds {
		spread := rowsTrust(rows, change, strict && round >= 6, scratch)
		var n [unknowns]values
		var b values
		for i := range k.at {
			w := 1 / (k.give[i] * k.give[i])
			n[i][i], b[i] = w, w*(k.at[i]-s.v[i])
		}
		for i := range rows {
			r := &rows[i]
			w := r.weight * r.trust
			if w == 0 {
				continue
			}
			for j, aj := range r.a {
				if aj == 0 {
					continue
				}
				for l := range j + 1 {
					n[j][l] += w * aj * r.a[l]
				}
				b[j] += w * aj * r.off
			}
		}
		if cov, ok = invert(n); !ok {
			return change, cov, false
		}
		for i := range change {
			change[i] = 0
			for j := range b {
				change[i] += cov[i][j] * b[j]
			}
		}
		for i := range cov {
			for j := range cov {
				cov[i][j] *= spread * spread
			}
		}
	}
	return change, cov, true
}

// rowsTrust sets how far each row is trusted after this change, and returns how much more they stray than they say, at least 1.
func rowsTrust(rows []row, change values, strict bool, scratch []float64) float64 {
	strays := scratch[:0]
	for i := range rows {
		if rows[i].weight > 0 {
			strays = append(strays, math.Abs(rows[i].strays(&change)))
		}
	}
	if len(strays) == 0 {
		return 1
	}
	slices.Sort(strays)
	spread := max(1, 1.4826*strays[len(strays)/2])
	for i := range rows {
		r := &rows[i]
		far := math.Abs(r.strays(&change)) / spread
		switch {
		case !strict:
			r.trust = min(1, 1.5/max(far, 1e-9))
		case far > 4.7:
			r.trust = 0
		default:
			f := 1 - far*far/(4.7*4.7)
			r.trust = f * f
		}
	}
	return spread
}

// strays is how far off the row still is after a change, in its standard deviations.
func (r *row) strays(change *values) float64 {
	off := r.off
	for i, a := range r.a {
		off -= a * change[i]
	}
	return off * math.Sqrt(r.weight)
}

// invert inverts a symmetric positive matrix of which the lower half is given.
func invert(n [unknowns]values) (inv [unknowns]values, ok bool) {
	var l [unknowns]values // n = l lᵀ
	for i := range unknowns {
		for j := range i + 1 {
			sum := n[i][j]
			for k := range j {
				sum -= l[i][k] * l[j][k]
			}
			if i != j {
				l[i][j] = sum / l[j][j]
			} else if !(sum > 1e-12) {
				return inv, false
			} else {
				l[i][i] = math.Sqrt(sum)
			}
		}
	}
	for c := range unknowns { // solve l lᵀ x = each unit vector
		var x values
		for i := range unknowns {
			sum := 0.0
			if i == c {
				sum = 1
			}
			for k := range i {
				sum -= l[i][k] * x[k]
			}
			x[i] = sum / l[i][i]
		}
		for i := unknowns - 1; i >= 0; i-- {
			for k := i + 1; k < unknowns; k++ {
				x[i] -= l[k][i] * x[k]
			}
			x[i] /= l[i][i]
		}
		for i := range unknowns {
			inv[i][c] = x[i]
		}
	}
	return inv, true
}

// fit is what became of all patches in one picture.
type fit struct {
	state
	sigma   [2]float64 // mm, of X and Y
	support [3]float64 // of X, Y and the camera: which share of what could show it does, 0 to 1
	apart   float64    // pixels by which parts of what stands still are apart from the rest of it: a camera was moved aside, and they are at different distances
	rows    []row
}

// refine finds from a start that is right within some three pixels where everything is.
func refine(start state, patches []*patch, pic *picture, k *known, f *fit) bool {
	f.state = start
	scratch := make([]float64, 0, 2*len(patches))
	for level := 1; level >= 0; level-- {
		for range 4 {
			f.rows = f.state.rows(f.rows[:0], patches, pic, level)
			change, _, ok := solve(f.rows, &f.state, k, false, scratch)
			if !ok {
				return false
			}
			f.state.v.add(&change)
			if moves(f.rows, &change) < 0.02 {
				break
			}
		}
	}
	f.rows = f.state.rows(f.rows[:0], patches, pic, 0)
	change, cov, ok := solve(f.rows, &f.state, k, true, scratch)
	if !ok {
		return false
	}
	f.state.v.add(&change)
	for i := range f.rows {
		r := &f.rows[i]
		for j, a := range r.a {
			r.off -= a * change[j]
		}
	}
	f.sigma = [2]float64{math.Sqrt(cov[lostX][lostX]), math.Sqrt(cov[lostY][lostY])}
	f.supported()
	return true
}

func (v *values) add(change *values) {
	for i := range v {
		v[i] += change[i]
	}
}

// moves is the most that a change moves any row, pixels.
func moves(rows []row, change *values) (most float64) {
	for i := range rows {
		d := 0.0
		for j, a := range rows[i].a {
			d += a * change[j]
		}
		most = max(most, math.Abs(d))
	}
	return most
}

// supported adds up which share of the patches that could show X, Y or the camera's place do so and agree.
func (f *fit) supported() {
	var part, all [3]float64
	for i := range f.rows {
		r := &f.rows[i]
		still := 1.0
		if r.a[lostX] != 0 || r.a[lostY] != 0 || r.a[lostZ] != 0 {
			still = 0
		}
		for k, a := range [3]float64{r.a[lostX] * r.a[lostX], r.a[lostY] * r.a[lostY], still} {
			all[k] += a * min(r.usual, 400)
			if r.weight > 0 && math.Abs(r.off) < agrees {
				part[k] += a * min(r.usual, 400) * r.trust
			}
		}
	}
	for k := range part {
		f.support[k] = part[k] / max(all[k], 1e-9)
	}
}
