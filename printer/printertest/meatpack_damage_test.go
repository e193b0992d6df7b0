package printertest

import (
	"bytes"
	"fmt"
	"layerd/gcode"
	"testing"
)

// TestPackedDamage: how often a packed line that has lost a byte, or has another in its place, is taken for another command. Of plain text no
// such line is.
func TestPackedDamage(t *testing.T) {
	several, unseen, lost, missed := 0, 0, 0, 0
	for n := range int64(60) {
		text := fmt.Appendf(nil, "G1 X%d.%03d Y%d.55 E%d.00%d", n*7%200, n*37, 100+n, n, n)
		line := gcode.AppendFrame(nil, n*n*n+1000, text)
		packed := gcode.AppendMeatPack(nil, append([]byte{' '}, line...), false)
		taken := func(sent []byte) string {
			u := unpacker{on: true}
			var got []byte
			for _, c := range sent {
				u.take(c)
				got = append(got, u.out[u.from:u.to]...)
			}
			got, _, _ = bytes.Cut(got, []byte{'\n'})
			if _, as, err := gcode.ParseFrame(got); err == nil && !bytes.Equal(as, text) {
				return string(got)
			}
			if got = bytes.TrimLeft(got, " "); len(got) > 1 && bytes.IndexByte([]byte("GMT"), got[0]) >= 0 && got[1] >= '0' && got[1] <= '9' {
				return string(got)
			}
			return ""
		}
		for i := range packed {
			lost++
			if as := taken(append(packed[:i:i], packed[i+1:]...)); as != "" {
				missed++
				t.Logf("%q without byte %d is taken for %q", line, i, as)
			}
			for x := 1; x < 256; x++ {
				bad := bytes.Clone(packed)
				bad[i] ^= byte(x)
				switch as := taken(bad); {
				case x&(x-1) == 0 && as != "":
					t.Errorf("%q with bit %b of byte %d changed is taken for %q", line, x, i, as)
				case x&(x-1) != 0:
					several++
					if as != "" {
						unseen++
					}
				}
			}
		}
	}
	t.Logf("not seen: %d of %d bytes with several changed bits, %d of %d lost bytes", unseen, several, missed, lost)
	if unseen*200 < several || unseen*50 > several || missed*500 > lost {
		t.Errorf("not seen: %d of %d bytes with several changed bits, %d of %d lost bytes; what gcode says of MeatPack is wrong", unseen, several, missed, lost)
	}
}
