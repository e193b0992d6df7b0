package gcode

import "sort"

// LeftOut is an object that is not printed from some byte of its file on.
type LeftOut struct {
	Object int // index into Objects
	From   int64
}

// Without is the survey with the times of what is left to print when objects are left out: those of all before is as it was. A survey knows how long an object takes, and from
// where to where it goes, and not how long in each layer. So an object has its part of each layer between, by how long those take that are printed there: exact where
// objects are printed one after the other, and where they are alike.
func (s *Survey) Without(out []LeftOut) Survey {
	v := *s
	parts := s.stretches()
	weight := make([]float64, len(parts)+1) // of all that is printed in each: first how much more or less than in the one before
	none := s.TimeS
	for i := range s.Objects {
		if first, last := spanOf(parts, &s.Objects[i]); first < last {
			each := s.Objects[i].TimeS / float64(last-first)
			weight[first] += each
			weight[last] -= each
			none -= s.Objects[i].TimeS
		}
	}
	weight[0] += max(0, none) / float64(len(parts))
	for j := 1; j < len(weight); j++ {
		weight[j] += weight[j-1]
	}
	cut := make([]float64, len(parts))
	for _, l := range out {
		if l.Object < 0 || l.Object >= len(s.Objects) {
			continue
		}
		o := &s.Objects[l.Object]
		first, last := spanOf(parts, o)
		span := parts[first:last]
		shares := make([]float64, len(span))
		for j, p := range span {
			shares[j] = p.seconds / max(weight[first+j], 1e-9)
		}
		share(shares, o.TimeS)
		excess, room := 0.0, make([]float64, len(span)) // what is more than a layer takes is of the others
		for j, p := range span {
			excess += max(0, shares[j]-p.seconds)
			shares[j] = min(shares[j], p.seconds)
			room[j] = p.seconds - shares[j]
		}
		share(room, excess)
		for j, p := range span {
			cut[first+j] += (shares[j] + room[j]) * p.behind(l.From)
		}
	}
	v.Layers = make([]Layer, len(s.Layers))
	lost, slow := 0.0, 0.0
	for j, p := range parts {
		if j > 0 {
			v.Layers[j-1] = s.Layers[j-1]
			v.Layers[j-1].ElapsedS -= lost
			v.Layers[j-1].CruiseS -= slow
		}
		if p.seconds > 0 {
			less := min(cut[j], p.seconds)
			lost, slow = lost+less, slow+less/p.seconds*p.cruise
		}
	}
	v.TimeS, v.CruiseS = max(0, s.TimeS-lost), max(0, s.CruiseS-slow)
	v.Pauses = make([]Pause, len(s.Pauses))
	for i, p := range s.Pauses {
		p.ElapsedS = s.pauseWithout(&v, p)
		v.Pauses[i] = p
	}
	return v
}

// pauseWithout is when v comes to a pause: as far into its layer as it was.
func (s *Survey) pauseWithout(v *Survey, p Pause) float64 {
	layer := s.LayerAt(p.Offset)
	span := func(v *Survey) (from, to float64) {
		if layer >= 0 {
			from = v.Layers[layer].ElapsedS
		}
		if layer+1 < len(v.Layers) {
			return from, v.Layers[layer+1].ElapsedS
		}
		return from, v.TimeS
	}
	from, to := span(s)
	start, end := span(v)
	if to <= from {
		return start
	}
	return start + min(max((p.ElapsedS-from)/(to-from), 0), 1)*(end-start)
}

// share divides a time by parts.
func share(parts []float64, seconds float64) {
	sum := 0.0
	for _, p := range parts {
		sum += p
	}
	for i := range parts {
		if parts[i] *= seconds; sum > 0 {
			parts[i] /= sum
		}
	}
}

// passage is what lies before the first layer, or a layer.
type passage struct {
	from, to        int64
	seconds, cruise float64
}

// behind is the part of it that lies behind a byte.
func (p passage) behind(at int64) float64 {
	if at <= p.from || p.to <= p.from {
		return 1
	}
	return max(0, float64(p.to-at)/float64(p.to-p.from))
}

func (s *Survey) stretches() []passage {
	all := make([]passage, 0, len(s.Layers)+1)
	at := Layer{Offset: s.FirstOffset}
	for _, l := range append(s.Layers[:len(s.Layers):len(s.Layers)], Layer{Offset: s.LastOffset, ElapsedS: s.TimeS, CruiseS: s.CruiseS}) {
		all = append(all, passage{at.Offset, l.Offset, max(0, l.ElapsedS-at.ElapsedS), max(0, l.CruiseS-at.CruiseS)})
		at = l
	}
	return all
}

// spanOf are the stretches in which an object is printed: from the first on, before the last. Those that it only touches with a mark do not count.
func spanOf(parts []passage, o *Object) (first, last int) {
	if o.TimeS <= 0 {
		return 0, 0
	}
	first = sort.Search(len(parts)-1, func(i int) bool { return parts[i].to > o.Offset })
	last = sort.Search(len(parts), func(i int) bool { return parts[i].from >= o.End })
	return first, max(last, first+1)
}
