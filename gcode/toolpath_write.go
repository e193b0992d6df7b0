package gcode

import (
	"encoding/binary"
	"math"
)

// How layers are written: docs/PROTOCOL.md, Toolpaths, has the form. All numbers are varints; places are whole hundredths of a millimetre, and
// each says only how far it is from the one before, which takes a byte for most.

// ToolpathVersion is the first byte of all that is written here. It changes when the form does.
const ToolpathVersion = 1

const (
	pathGrid       = 100     // steps to a mm
	maxPathSteps   = 1 << 20 // ten metres
	maxLayerPoints = 1 << 18 // of a layer; the rest is left out

	// A run begins with a byte of these and of its Feature.
	pathExtrudes = 0x20
	pathRises    = 0x40 // how far follows
	pathSpeed    = 0x80 // a new one follows

	// Flags of a layer.
	pathCut = 0x01 // more than maxLayerPoints
)

// AppendIndex appends where the layers are and what the whole measures, without reading the file. hash is the file's SHA-256.
func (t *Toolpath) AppendIndex(dst []byte, hash [32]byte) []byte {
	dst = append(dst, ToolpathVersion, 'I')
	dst = append(dst, hash[:]...)
	dst = binary.AppendUvarint(dst, uint64(t.bytes))
	dst = binary.AppendUvarint(dst, uint64(t.lines))
	for _, corner := range [2][3]float64{t.extent.Min, t.extent.Max} {
		for _, v := range corner {
			dst = binary.AppendVarint(dst, pathSteps(v))
		}
	}
	dst = binary.AppendUvarint(dst, uint64(max(pathMicrons(t.height), 0)))
	dst = binary.AppendUvarint(dst, uint64(len(t.layers)))
	var before Layer
	for _, l := range t.layers {
		dst = binary.AppendUvarint(dst, uint64(l.Offset-before.Offset))
		dst = binary.AppendUvarint(dst, uint64(l.Line-before.Line))
		dst = binary.AppendVarint(dst, pathMicrons(l.ZMM)-pathMicrons(before.ZMM))
		before = l
	}
	return dst
}

func pathSteps(mm float64) int64 {
	return int64(min(max(math.Round(mm*pathGrid), -maxPathSteps), maxPathSteps))
}

func pathMicrons(mm float64) int64 {
	return int64(math.Round(min(max(mm, -maxCoordinate), maxCoordinate) * 1000))
}

// pathPen writes one layer. Its runs are points that share all but their place: feature, speed, height, and how their lines follow each other.
type pathPen struct {
	head  []byte
	body  []byte
	layer int
	count int // points written
	cut   bool

	at    [3]int64 // where the pen is, in steps
	z     int64    // of the run before
	line  int64    // of the last point
	speed uint32   // of the run before

	run pathRun
}

// pathRun is the run under way.
type pathRun struct {
	points []byte // varint pairs
	count  int
	kind   uint8
	speed  uint32
	z      int64
	gap    int64 // lines from the point before
	same   bool  // all points are of one line; else each is of the next
}

func (p *pathPen) begin(layer int, line int64, at [3]float64) {
	*p = pathPen{head: p.head[:0], body: p.body[:0], layer: layer, line: line, run: pathRun{points: p.run.points[:0]}}
	p.at = [3]int64{pathSteps(at[0]), pathSteps(at[1]), pathSteps(at[2])}
	p.z = p.at[2]
	for _, v := range p.at {
		p.head = binary.AppendVarint(p.head, v)
	}
}

// to draws to a place. What is too short to be seen is left for the next.
func (p *pathPen) to(mm [3]float64, kind uint8, speed uint32, line int64) {
	at := [3]int64{pathSteps(mm[0]), pathSteps(mm[1]), pathSteps(mm[2])}
	if at == p.at {
		return
	}
	if p.count == maxLayerPoints {
		p.cut = true
		return
	}
	r := &p.run
	if !p.continues(kind, speed, at[2], line) {
		p.flush()
		r.kind, r.speed, r.z, r.gap, r.same = kind, speed, at[2], line-p.line, false
	}
	r.points = binary.AppendVarint(r.points, at[0]-p.at[0])
	r.points = binary.AppendVarint(r.points, at[1]-p.at[1])
	r.count++
	p.count++
	p.at, p.line = at, line
}

func (p *pathPen) continues(kind uint8, speed uint32, z, line int64) bool {
	r := &p.run
	if r.count == 0 || kind != r.kind || speed != r.speed || z != r.z {
		return false
	}
	if r.count == 1 {
		r.same = line == p.line
	}
	return r.same && line == p.line || !r.same && line == p.line+1
}

func (p *pathPen) flush() {
	r := &p.run
	if r.count == 0 {
		return
	}
	kind := r.kind
	if r.z != p.z {
		kind |= pathRises
	}
	if r.speed != p.speed {
		kind |= pathSpeed
	}
	p.body = append(p.body, kind)
	lines := uint64(r.gap) << 1
	if r.same {
		lines |= 1
	}
	p.body = binary.AppendUvarint(p.body, lines)
	if r.z != p.z {
		p.body = binary.AppendVarint(p.body, r.z-p.z)
	}
	if r.speed != p.speed {
		p.body = binary.AppendUvarint(p.body, uint64(r.speed))
	}
	p.body = binary.AppendUvarint(p.body, uint64(r.count))
	p.body = append(p.body, r.points...)
	p.z, p.speed = r.z, r.speed
	r.points, r.count = r.points[:0], 0
}

// appendLayer ends the layer.
func (p *pathPen) appendLayer(dst []byte) []byte {
	p.flush()
	flags := byte(0)
	if p.cut {
		flags |= pathCut
	}
	dst = binary.AppendUvarint(dst, uint64(p.layer+1))
	dst = binary.AppendUvarint(dst, uint64(1+len(p.head)+len(p.body)))
	dst = append(dst, flags)
	dst = append(dst, p.head...)
	return append(dst, p.body...)
}
