package register

import (
	"math"
	"slices"
)

// A second opinion, which needs neither head nor bed: where the print's outline ought to be seen, by its file, and where it is.
//
//	outlines of the layers ─▶ projected; those places of them that are the print's edge in the picture ─▶ how far off is the picture's edge there, across?
//	─▶ one fit: the newest layers lie off by so many mm against the older ones, and everything by so many pixels
//
// The difference between newest and older ones in one picture is all that counts, so a camera that moved, or that is known only nearly, does little harm. It tells, too, when the
// part has moved while the head has not. It is for advice: an edge in the picture may be another thing's.

// Outline is an outer wall of a layer, closed.
type Outline struct {
	ZMM    float64
	Points [][2]float64 // mm on the bed
}

// Aside is what a Silhouette saw.
type Aside struct {
	Sees     bool    `json:"sees"`
	XMM      float64 `json:"x_mm"` // newest layers against older ones
	YMM      float64 `json:"y_mm"`
	SigmaXMM float64 `json:"sigma_x_mm"`
	SigmaYMM float64 `json:"sigma_y_mm"`

	// The least step that would be told now. 99 = none would, for want of looks, or because what is seen wanders too much.
	DetectsXMM float64 `json:"detects_x_mm"`
	DetectsYMM float64 `json:"detects_y_mm"`

	Newest int  `json:"newest"` // places that were found
	Older  int  `json:"older"`
	Step   Step `json:"step"` // Axis and MM; against what it was in the looks before
}

// Silhouette looks at the print itself. It is not for several goroutines. It takes some 5 MB.
type Silhouette struct {
	proj   *Projection
	pic    picture
	inside []bool      // where the print is expected
	cuts   [][]float64 // scratch: where an outline cuts each row
	rows   []row
	apart  float64 // pixels between places
	across int     // pixels in which an edge is looked for
	trails [2]trail
}

// NewSilhouette looks at prints through a projection.
func NewSilhouette(p *Projection) *Silhouette {
	return &Silhouette{proj: p, inside: make([]bool, p.w*p.h), cuts: make([][]float64, p.h)}
}

const (
	maxOutline  = 200_000 // points in a look
	maxPlaces   = 20_000  // on all outlines, seen or not
	leastPlaces = 12
	leastAcross = 6   // pixels to both sides in which an edge is looked for …
	mostAcross  = 16  // … or more,
	acrossMM    = 3.0 // where these are
	edgeNoise   = 0.6 // pixels, of one place: several are often one edge

	// The print's shape, its shine and a lens that is not quite known make the newest layers seem to lie aside, now by more and now by less. So a step must stand out from all that was seen of that before.
	comesIn     = 10 // layers, in which a step grows: what is newer is no measure of what is usual
	leastAside  = 6  // looks before that, to know it
	wanders     = 2  // times what they differ by
	mostAsideMM = 3  // who cannot tell less is blind
)

// Look compares the newest layers, best some ten, with the older ones, best some fifty below them. The lowest come first. forward and down are by how much the bed stands nearer to the front, and
// lower, than when its corners were seen, mm: 0 where it does not move.
func (s *Silhouette) Look(layer int, pics []*Luma, older, newest []Outline, forward, down float64) (a Aside) {
	a.SigmaXMM, a.SigmaYMM, a.DetectsXMM, a.DetectsYMM = unseenMM, unseenMM, unseenMM, unseenMM
	points := 0
	for _, o := range append(slices.Clip(older), newest...) {
		points += len(o.Points)
	}
	if points > maxOutline || !s.pic.load(pics) || s.pic.level[0].w != s.proj.w || s.pic.level[0].h != s.proj.h {
		return a
	}
	clear(s.inside)
	length := 0.0
	shapes := make([][][2]float64, 0, len(older)+len(newest))
	for _, o := range append(slices.Clip(older), newest...) {
		shape := s.project(o, forward, down)
		s.fill(shape)
		shapes = append(shapes, shape)
		for i := range shape {
			q := shape[(i+1)%len(shape)]
			length += math.Hypot(q[0]-shape[i][0], q[1]-shape[i][1])
		}
	}
	s.apart = max(2, length/maxPlaces)
	if len(newest) > 0 {
		s.across = s.reach(newest[0], forward, down)
	}
	s.rows = s.rows[:0]
	for i, shape := range shapes {
		if i < len(older) {
			a.Older += s.edges(shape, older[i], forward, down, false)
		} else {
			a.Newest += s.edges(shape, newest[i-len(older)], forward, down, true)
		}
	}
	if a.Newest < leastPlaces || a.Older < leastPlaces {
		return a
	}
	k := known{give: values{5, 5, 1e-3, 8, 8, 4, 4}}
	change, cov, ok := solve(s.rows, &state{}, &k, true, nil)
	if !ok {
		return a
	}
	a.XMM, a.YMM, a.SigmaXMM, a.SigmaYMM = change[lostX], change[lostY], math.Sqrt(cov[lostX][lostX]), math.Sqrt(cov[lostY][lostY])
	clearest := 0.0
	for k, sigma := range [2]float64{a.SigmaXMM, a.SigmaYMM} {
		t := &s.trails[k]
		wandered, looks := t.wandered(layer - comesIn)
		threshold := max(t.threshold(sigma, 0.1), wanders*wandered)
		step := t.add(sample{layer: layer, mm: change[k]}, threshold)
		if looks < leastAside || threshold > mostAsideMM {
			continue
		}
		a.Sees = true
		*[2]*float64{&a.DetectsXMM, &a.DetectsYMM}[k] = threshold
		if clear := math.Abs(step.MM) / threshold; step.Sure > 0 && !step.Creeps && clear > clearest { // what lies aside in one axis pulls at the other
			a.Step, clearest = step, clear
			a.Step.Axis = [2]string{"x", "y"}[k]
		}
	}
	return a
}

// wandered is by how much the samples up to a layer differ, and how many they are.
func (t *trail) wandered(upTo int) (mm float64, n int) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, b := range t.before {
		if b.layer <= upTo {
			low, high, n = min(low, b.mm), max(high, b.mm), n+1
		}
	}
	return max(high-low, 0), n
}

// Relearn says that all is as it should be from now on, as Watcher.Relearn does.
func (s *Silhouette) Relearn() { s.trails = [2]trail{} }

// project gives the corners as they are seen; nil when they are not all before the camera and near the picture.
func (s *Silhouette) project(o Outline, forward, down float64) [][2]float64 {
	list := make([][2]float64, 0, len(o.Points))
	for _, p := range o.Points {
		x, y := s.proj.See(p[0], p[1]-forward, o.ZMM-down)
		if !within(8000, x, y) {
			return nil
		}
		list = append(list, [2]float64{x, y})
	}
	return list
}

// fill marks what is inside a closed outline, row by row.
func (s *Silhouette) fill(shape [][2]float64) {
	if len(shape) < 3 {
		return
	}
	low, high := s.proj.h, -1 // rows that are cut
	last := shape[len(shape)-1]
	for _, p := range shape {
		a, b := last, p
		if a[1] > b[1] {
			a, b = b, a
		}
		from, to := max(int(math.Ceil(a[1])), 0), min(int(math.Ceil(b[1])), s.proj.h)-1
		for y := from; y <= to; y++ {
			s.cuts[y] = append(s.cuts[y], a[0]+(b[0]-a[0])*(float64(y)-a[1])/(b[1]-a[1]))
		}
		if from <= to {
			low, high = min(low, from), max(high, to)
		}
		last = p
	}
	for y := low; y <= high; y++ {
		cuts := s.cuts[y]
		slices.Sort(cuts)
		for i := 0; i+1 < len(cuts); i += 2 {
			for x := max(int(math.Ceil(cuts[i])), 0); x <= min(int(cuts[i+1]), s.proj.w-1); x++ {
				s.inside[y*s.proj.w+x] = true
			}
		}
		s.cuts[y] = cuts[:0]
	}
}

// edges measures those places of an outline that are the print's edge, and returns how many were found.
func (s *Silhouette) edges(shape [][2]float64, o Outline, forward, down float64, newest bool) (found int) {
	const clearOf = 2.5 // pixels
	left := 0.0         // until the next place
	for i := range shape {
		p, q := shape[i], shape[(i+1)%len(shape)]
		dx, dy := q[0]-p[0], q[1]-p[1]
		length := math.Hypot(dx, dy)
		if length == 0 {
			continue
		}
		nx, ny := dy/length, -dx/length
		for ; left < length; left += s.apart {
			f := left / length
			x, y := p[0]+dx*f, p[1]+dy*f
			if s.in(x+nx*clearOf, y+ny*clearOf) == s.in(x-nx*clearOf, y-ny*clearOf) {
				continue
			}
			off, ok := s.edge(x, y, nx, ny)
			if !ok {
				continue
			}
			found++
			a, b := o.Points[i], o.Points[(i+1)%len(shape)]
			s.rows = append(s.rows, s.row(a[0]+(b[0]-a[0])*f, a[1]+(b[1]-a[1])*f-forward, o.ZMM-down, x, y, nx, ny, off, newest))
		}
		left -= length
	}
	return found
}

func (s *Silhouette) in(x, y float64) bool {
	ix, iy := int(math.Round(x)), int(math.Round(y))
	return ix >= 0 && iy >= 0 && ix < s.proj.w && iy < s.proj.h && s.inside[iy*s.proj.w+ix]
}

// row says what each unknown does to a place.
func (s *Silhouette) row(mmX, mmY, mmZ, x, y, nx, ny, off float64, newest bool) row {
	r := row{axis: direction{x: nx, y: ny}, off: off, weight: 1 / (edgeNoise * edgeNoise)}
	if newest {
		x1, y1 := s.proj.See(mmX+0.5, mmY, mmZ)
		x2, y2 := s.proj.See(mmX, mmY+0.5, mmZ)
		r.a[lostX], r.a[lostY] = 2*(nx*(x1-x)+ny*(y1-y)), 2*(nx*(x2-x)+ny*(y2-y))
	}
	half := float64(s.proj.w) / 2
	cx, cy := (x-half)/half, (y-float64(s.proj.h)/2)/half
	r.a[camX], r.a[camY], r.a[camTurn], r.a[camZoom] = nx, ny, -nx*cy+ny*cx, nx*cx+ny*cy
	return r
}

// edge finds the strongest edge across a place. It must stand out from the others there.
func (s *Silhouette) edge(x, y, nx, ny float64) (off float64, ok bool) {
	n := 2*s.across + 1
	var v [2*mostAcross + 2]float32
	f := &s.pic.level[0]
	for i := range n + 1 {
		d := float64(i-s.across) - 0.5
		for _, along := range [3]float64{-1, 0, 1} {
			b, ok := f.at(x+nx*d-ny*along, y+ny*d+nx*along)
			if !ok {
				return 0, false
			}
			v[i] += b / 3
		}
	}
	var slope [2*mostAcross + 1]float32
	best := 1
	for i := range n {
		slope[i] = max(v[i+1]-v[i], v[i]-v[i+1])
		if i > 0 && i < n-1 && slope[i] > slope[best] {
			best = i
		}
	}
	second := float32(0)
	for i, g := range slope[:n] {
		if i < best-2 || i > best+2 {
			second = max(second, g)
		}
	}
	a, b, c := slope[best-1], slope[best], slope[best+1]
	if b < 3 || second > 0.7*b || a > b || c > b {
		return 0, false
	}
	return float64(best-s.across) + 0.5*float64(a-c)/float64(min(a-2*b+c, -0.01)), true
}

// reach is in how many pixels to both sides an edge is looked for: as far as a part is likely to move.
func (s *Silhouette) reach(o Outline, forward, down float64) int {
	if len(o.Points) == 0 {
		return leastAcross
	}
	x, y, z := o.Points[0][0], o.Points[0][1]-forward, o.ZMM-down
	x1, y1 := s.proj.See(x-0.5, y, z)
	x2, y2 := s.proj.See(x+0.5, y, z)
	px := acrossMM * math.Hypot(x2-x1, y2-y1)
	if !(px > leastAcross) {
		return leastAcross
	}
	return int(min(px, mostAcross))
}

// at is the brightness between pixels.
func (p *plane) at(x, y float64) (float32, bool) {
	ix, iy := int(math.Floor(x)), int(math.Floor(y))
	if !(x >= 0 && y >= 0) || ix+1 >= p.w || iy+1 >= p.h {
		return 0, false
	}
	fx, fy := float32(x-float64(ix)), float32(y-float64(iy))
	a, b := p.pix[iy*p.w+ix:][:2], p.pix[(iy+1)*p.w+ix:][:2]
	return (a[0]*(1-fx)+a[1]*fx)*(1-fy) + (b[0]*(1-fx)+b[1]*fx)*fy, true
}
