package discovery

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// TestMessages: what is written is read again, and as another program writes it.
func TestMessages(t *testing.T) {
	l := lanAt("192.168.1.5/24")
	m := message{id: 7, flags: isResponse | authoritative,
		questions: []question{{name: named("_http", "_tcp", "local"), key: named("_http", "_tcp", "local"), kind: typePTR, class: classIN, alone: true}},
		answers:   testConfig("1").records(1, l), authority: testConfig("1").records(2, l), more: []record{{name: named(), key: named(), kind: 99, class: 3, ttl: 1 << 31, data: "x"}}}
	got, err := parse(m.bytes())
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("got %+v, %v, want %+v", got, err, m)
	}
	// A pointer and a service by Apple's mDNSResponder, whose names go on in names before.
	const wire = "\x00\x00\x84\x00\x00\x00\x00\x02\x00\x00\x00\x00" +
		"\x05_http\x04_tcp\x05local\x00\x00\x0c\x00\x01\x00\x00\x11\x94\x00\x05\x02Pi\xc0\x0c" +
		"\xc0\x28\x00\x21\x80\x01\x00\x00\x00\x78\x00\x0b\x00\x00\x00\x00\x00\x50\x02pi\xc0\x17"
	got, err = parse([]byte(wire))
	instance, host := named("Pi", "_http", "_tcp", "local"), named("pi", "local")
	want := []record{
		{named("_http", "_tcp", "local"), named("_http", "_tcp", "local"), typePTR, classIN, false, 4500, string(instance)},
		{instance, named("pi", "_http", "_tcp", "local"), typeSRV, classIN, true, 120, "\x00\x00\x00\x00\x00\x50" + string(host)}}
	if err != nil || !reflect.DeepEqual(got.answers, want) {
		t.Errorf("got %+v, %v, want %+v", got.answers, err, want)
	}
}

// TestDamagedMessages: nothing that can be sent leads astray, and what stands before the damage is read.
func TestDamagedMessages(t *testing.T) {
	head := func(questions, records byte) string {
		return "\x00\x00\x00\x00\x00" + string([]byte{questions}) + "\x00" + string([]byte{records}) + "\x00\x00\x00\x00"
	}
	const question = "\x01a\x00\x00\x01\x00\x01"
	// A text of pointers, each to the one before, and a name that begins at the last of them.
	hops := "\x00\x00\x10\x00\x01\x00\x00\x00\x00\x02\x00\xc0\x0c"
	for at := 23; at < 23+2*255; at += 2 {
		hops += string([]byte{0xc0 | byte(at>>8), byte(at)})
	}
	hops += string([]byte{0xc0 | byte((23+2*255)>>8), (23 + 2*255) & 0xff}) + "\x00\x10\x00\x01\x00\x00\x00\x00\x00\x00"
	for name, c := range map[string]struct {
		wire      string
		questions int
	}{
		"nothing":                     {"", 0},
		"half a head":                 {"\x00\x00\x00", 0},
		"a question that is not":      {head(1, 0), 0},
		"half a question":             {head(1, 0) + "\x01a\x00\x00", 0},
		"one of two":                  {head(2, 0) + question, 1},
		"a name that leads to itself": {head(1, 0) + "\xc0\x0c\x00\x01\x00\x01", 0},
		"names that lead in a ring":   {head(1, 0) + "\x01a\xc0\x0c\x00\x01\x00\x01", 0},
		"a name that leads ahead":     {head(1, 0) + "\xc0\x10\x00\x01\x00\x01\x00", 0},
		"a name of pointers alone":    {head(0, 2) + hops, 0},
		"half a pointer":              {head(1, 0) + "\xc0", 0},
		"a label of a reserved kind":  {head(1, 0) + "\x40a\x00\x00\x01\x00\x01", 0},
		"a label that is cut":         {head(1, 0) + "\x3fa", 0},
		"a name that is too long":     {head(1, 0) + strings.Repeat("\x3f"+strings.Repeat("a", 63), 4) + "\x00\x00\x01\x00\x01", 0},
		"a record that is cut":        {head(1, 1) + question + "\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04abc", 1},
		"a service too short":         {head(1, 1) + question + "\x00\x00\x21\x00\x01\x00\x00\x00\x00\x00\x03abc", 1},
		"a pointer that is cut":       {head(1, 1) + question + "\x00\x00\x0c\x00\x01\x00\x00\x00\x00\x00\x03\x05ab", 1},
		"a pointer with more behind":  {head(1, 1) + question + "\x00\x00\x0c\x00\x01\x00\x00\x00\x00\x00\x03\x00ab", 1},
		"more than anybody asks":      {"\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00" + strings.Repeat(question, 1000), maxEntries},
		"more than anybody knows":     {"\x00\x00\x00\x00\x00\x01\xff\xff\x00\x00\x00\x00" + question + strings.Repeat("\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00", 800), 1},
	} {
		if m, err := parse([]byte(c.wire)); err == nil || len(m.questions) != c.questions || len(m.answers) > maxEntries {
			t.Errorf("%s: got %d questions, %d answers, %v", name, len(m.questions), len(m.answers), err)
		}
	}
}

// FuzzMessage: what can be read can be written, and says the same when it is read again.
func FuzzMessage(f *testing.F) {
	l := lanAt("192.168.1.5/24")
	f.Add(message{answers: testConfig("1").records(1, l)}.bytes())
	f.Add((&link{records: testConfig("1").records(1, l)}).probe().bytes())
	f.Add([]byte("\x00\x00\x84\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\xc0\x0c\x00\x01\x00\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parse(data)
		if err != nil || len(data) > maxPacket {
			return
		}
		written := m.bytes()
		again, err := parse(written)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if !bytes.Equal(written, again.bytes()) || !reflect.DeepEqual(m, again) {
			t.Errorf("got %+v, want %+v", again, m)
		}
	})
}
