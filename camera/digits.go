package camera

// glyphs are 5 by 7 dots, a byte for each row, the leftmost dot in bit 4. They are what a clock, two temperatures and a label need.
var glyphs = map[rune][7]byte{
	'0': {0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110},
	'1': {0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110},
	'2': {0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111},
	'3': {0b11111, 0b00010, 0b00100, 0b00010, 0b00001, 0b10001, 0b01110},
	'4': {0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010},
	'5': {0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110},
	'6': {0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110},
	'7': {0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000},
	'8': {0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110},
	'9': {0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100},
	':': {0b00000, 0b00100, 0b00100, 0b00000, 0b00100, 0b00100, 0b00000},
	'-': {0b00000, 0b00000, 0b00000, 0b01110, 0b00000, 0b00000, 0b00000},
	'/': {0b00001, 0b00001, 0b00010, 0b00100, 0b01000, 0b10000, 0b10000},
	'D': {0b11110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11110},
	'E': {0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111},
	'M': {0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001},
	'O': {0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110},
	'°': {0b00110, 0b01001, 0b00110, 0b00000, 0b00000, 0b00000, 0b00000},
}

// text writes s with its top left corner at at; a dot is as wide as dot pixels. What has no glyph is a space.
func (c *canvas) text(at point, s string, dot float32, col rgb, alpha float32) {
	for _, r := range s {
		g := glyphs[r]
		for row, bits := range g {
			y := at.y + float32(row)*dot
			for from := 0; from < 5; from++ { // dots side by side are one stroke
				to := from
				for to < 5 && bits&(0b10000>>to) != 0 {
					to++
				}
				if to == from {
					continue
				}
				x1, x2 := at.x+float32(from)*dot, at.x+float32(to)*dot
				c.polygon([]point{{x1, y}, {x2, y}, {x2, y + dot}, {x1, y + dot}}, col, col, alpha)
				from = to
			}
		}
		at.x += 6 * dot
	}
}

// textWidth is how wide text is, in pixels.
func textWidth(s string, dot float32) float32 {
	n := 0
	for range s {
		n++
	}
	return (float32(n)*6 - 1) * dot
}
