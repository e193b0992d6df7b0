package printertest

// Body is a copy of the machine's state at one moment. Lengths are mm, temperatures °C.
type Body struct {
	Believed [4]float64 // X, Y, Z, E where the firmware's step counters are, in its native coordinates
	True     [3]float64 // where the head is
	Homed    [3]bool
	Motors   bool

	NozzleC, NozzleTargetC float64
	BedC, BedTargetC       float64
	FanPercent             float64

	ExtrudedMM float64 // of filament, net of retractions
	LayerZMM   float64 // true height of the newest extruding move
	Layers     int     // how often that height changed since all axes were homed
	Halted     bool    // the firmware has killed itself
	Booting    bool
	Plugged    bool
	SizeMM     [3]float64
	BabystepMM float64 // that are in force
	ProbeZMM   float64 // the probe's offset, as it would be after a restart
	state      MachineState

	// Trail is what was extruded since all axes were last homed, in true places, the oldest first: the newest moves in
	// full, of the older ones an even sample over the whole print. At most TrailMax.
	Trail []Segment
}

// Segment is one extruded line, in mm of true place.
type Segment struct{ From, To [3]float64 }

// TrailMax bounds a Body's Trail.
const TrailMax = 4000

// trail keeps extruded segments in bounded memory.
type trail struct {
	recent []Segment // ring of the newest
	next   int       // place of the oldest in recent once that is full
	old    []Segment // every stride-th of those that left recent
	stride int
	left   int // how many have left recent
}

const trailRecent = TrailMax / 4

func (t *trail) add(s Segment) {
	if len(t.recent) < trailRecent {
		t.recent = append(t.recent, s)
		return
	}
	leaving := t.recent[t.next]
	t.recent[t.next] = s
	t.next = (t.next + 1) % trailRecent
	t.stride = max(1, t.stride)
	if t.left++; t.left%t.stride != 0 {
		return
	}
	if t.old = append(t.old, leaving); len(t.old) < TrailMax-trailRecent {
		return
	}
	for i := range len(t.old) / 2 {
		t.old[i] = t.old[2*i+1]
	}
	t.old = t.old[:len(t.old)/2]
	t.stride *= 2
}

func (t *trail) clear() { t.recent, t.next, t.old, t.stride, t.left = t.recent[:0], 0, t.old[:0], 1, 0 }

// list is a copy, the oldest first.
func (t *trail) list() []Segment {
	out := make([]Segment, 0, len(t.old)+len(t.recent))
	out = append(out, t.old...)
	out = append(out, t.recent[t.next:]...)
	return append(out, t.recent[:t.next]...)
}

// body is a copy of the firmware's body at f.now.
func (f *firmware) body() Body {
	b := Body{state: f.state(), True: f.realAt(f.now), Believed: f.steppedAt(f.now), Homed: f.homed, Motors: f.motors,
		NozzleC: f.nozzle.at(f.now), NozzleTargetC: f.nozzle.targetC, BedC: f.bed.at(f.now), BedTargetC: f.bed.targetC,
		FanPercent: float64(f.fan[0]) * 100 / 255, ExtrudedMM: f.extruded, LayerZMM: f.layerZ, Layers: f.layers,
		Halted: f.killed, Booting: f.bootAt != never, SizeMM: f.size, Trail: f.trail.list(), BabystepMM: f.baby, ProbeZMM: f.settings.stored["M851Z"]}
	if f.homing.on {
		b.Believed[f.homing.axis] = b.True[f.homing.axis]
	}
	return b
}
