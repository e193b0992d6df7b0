package camera

// backdrop is the workshop behind the printer: a wall with a shelf of spools, out of focus, and the bench. It is painted once, taller than the
// picture, and shown through a window that moves when the camera does.
type backdrop struct {
	*canvas
	edge int // the row where the wall meets the bench
}

func newBackdrop(w, h int) *backdrop {
	b := &backdrop{canvas: newCanvas(w, h*2), edge: h}
	b.wall()
	blur(b.canvas, 0, b.edge, max(w/160, 1))
	b.bench()
	return b
}

// show copies the rows that belong on c, with the edge at row at of c.
func (b *backdrop) show(c *canvas, at int) {
	for y := range c.h {
		from := min(max(y-at+b.edge, 0), b.h-1)
		copy(c.Pix[y*c.Stride:(y+1)*c.Stride], b.Pix[from*b.Stride:(from+1)*b.Stride])
	}
}

func (b *backdrop) wall() {
	w, u := float32(b.w), float32(b.w)/100 // u: a hundredth of the width
	for y := range b.edge {
		for x := range b.w {
			fx, fy := float32(x)/w, float32(y)/float32(b.edge)
			c := rgb{19, 23, 31}.mix(rgb{27, 29, 34}, fy)
			lampX, lampY := (fx-0.16)*1.3, (fy-0.55)*0.8 // the wall takes up the lamp's light
			c = c.mix(rgb{168, 108, 58}, max(0, 0.70-lampX*lampX*3.2-lampY*lampY*3.4))
			coldX, coldY := fx-0.97, fy-0.45
			c = c.mix(rgb{52, 78, 114}, max(0, 0.6-coldX*coldX*9-coldY*coldY*3))
			b.put(x, y, c)
		}
	}
	// Pegboard.
	for y := 2 * u; y < float32(b.edge)-8*u; y += 4 * u {
		for x := 2 * u; x < w; x += 4 * u {
			b.shade(point{x, y}, 0.7*u, 0.7*u, 0.35)
		}
	}
	// A shelf with spools, seen from the front.
	shelf := float32(b.edge) - 7*u
	spools := []rgb{{150, 44, 38}, {196, 140, 40}, {46, 96, 150}, {150, 150, 146}, {70, 120, 62}, {188, 92, 40}, {92, 64, 130}}
	for i, col := range spools {
		x := 6*u + float32(i)*14.3*u
		light := 0.42 + 0.5*max(0, 1-abs(x/w-0.2)*1.6)
		b.disc(point{x, shelf - 5.6*u}, 5.6*u, rgb{26, 26, 28}.times(0.6+light))
		b.disc(point{x, shelf - 5.6*u}, 4.8*u, col.times(light))
		b.disc(point{x, shelf - 5.6*u}, 2.2*u, rgb{30, 28, 28}.times(0.5+light))
		b.disc(point{x, shelf - 5.6*u}, 1.0*u, rgb{8, 8, 10})
	}
	b.polygon([]point{{0, shelf}, {w, shelf}, {w, shelf + 1.5*u}, {0, shelf + 1.5*u}}, rgb{86, 62, 42}, rgb{40, 29, 22}, 0.9)
	// Tools below it.
	for i := range 9 {
		x := 9*u + float32(i)*10.2*u
		length := (2.0 + float32(i*7%4)) * u
		b.line(point{x, shelf + 2.2*u}, point{x, shelf + 2.2*u + length}, 1.1*u, rgb{16, 16, 19}, 0.8)
		b.line(point{x, shelf + 2.2*u}, point{x, shelf + 2.2*u + length*0.45}, 1.7*u, rgb{120, 44, 30}.mix(rgb{30, 50, 80}, float32(i%3)/2), 0.5)
	}
	// Lights far away.
	for _, l := range []struct{ x, y, r, warm float32 }{
		{0.06, 0.20, 3.2, 1}, {0.13, 0.12, 2.2, 1}, {0.90, 0.16, 3.4, 0}, {0.83, 0.30, 2.0, 0}, {0.95, 0.36, 2.4, 0.3}, {0.70, 0.10, 1.6, 0.8},
	} {
		b.glow(point{l.x * w, l.y * float32(b.edge)}, l.r*u*1.6, l.r*u*1.6, rgb{90, 120, 170}.mix(rgb{230, 150, 70}, l.warm).times(0.38))
	}
}

func (b *backdrop) bench() {
	w, u := float32(b.w), float32(b.w)/100
	seed := uint32(7)
	deep := float32(b.h - b.edge)
	for y := b.edge; y < b.h; y++ {
		fy := float32(y-b.edge) / deep
		seed = seed*1664525 + 1013904223
		streak := float32(seed>>24)/255 - 0.5
		for x := range b.w {
			fx := float32(x)/w - 0.40
			light := max(0.26, 1.05-fx*fx*2.2-(fy-0.30)*(fy-0.30)*1.0)
			c := rgb{96, 66, 42}.times(light * (1 + 0.10*streak))
			b.put(x, y, c.mix(rgb{40, 58, 84}, max(0, fx*0.30)))
		}
	}
	for i, depth := range []float32{0.05, 0.13, 0.26, 0.46, 0.78} { // joints between the boards
		y := float32(b.edge) + depth*deep
		b.line(point{0, y}, point{w, y}, 0.12*u*float32(i+2)/2, rgb{16, 10, 7}, 0.55)
	}
	edge := float32(b.edge)
	b.polygon([]point{{0, edge - 1.2*u}, {w, edge - 1.2*u}, {w, edge + 0.6*u}, {0, edge + 0.6*u}}, rgb{8, 8, 10}, rgb{22, 15, 11}, 0.55)
}

func (c *canvas) put(x, y int, col rgb) {
	i := y*c.Stride + x*4
	c.Pix[i], c.Pix[i+1], c.Pix[i+2], c.Pix[i+3] = byte8(col.r), byte8(col.g), byte8(col.b), 255
}

// disc is a filled circle.
func (c *canvas) disc(at point, r float32, col rgb) {
	c.polygon(circle(nil, at, r, r), col.times(1.15), col.times(0.85), 1)
}

// blur softens rows from to to, three times with a box of 2r+1 pixels, which is nearly a lens out of focus.
func blur(c *canvas, from, to, r int) {
	line := make([]byte, max(c.w, to-from))
	for range 3 {
		for ch := range 3 {
			for y := from; y < to; y++ {
				boxBlur(c.Pix[y*c.Stride+ch:], 4, c.w, r, line)
			}
			for x := range c.w {
				boxBlur(c.Pix[from*c.Stride+x*4+ch:], c.Stride, to-from, r, line)
			}
		}
	}
}

// boxBlur averages n bytes that are step apart over 2r+1 of them; at the ends the last one is repeated.
func boxBlur(pix []byte, step, n, r int, line []byte) {
	for i := range n {
		line[i] = pix[i*step]
	}
	sum := 0
	for i := -r; i <= r; i++ {
		sum += int(line[min(max(i, 0), n-1)])
	}
	for i := range n {
		pix[i*step] = byte(sum / (2*r + 1))
		sum += int(line[min(i+r+1, n-1)]) - int(line[max(i-r, 0)])
	}
}
