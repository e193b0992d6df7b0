package register

import "testing"

// What is lost at once stays as it is. What grows, what comes behind looks that saw nothing, and what goes on as it went before, is a reason to check, and none to pause.
func TestDoubts(t *testing.T) {
	for name, c := range map[string]struct {
		before, after  []float64
		every, unseen  int // layers from look to look; looks that saw nothing between
		step, doubtful bool
	}{
		"a loss":                      {before: []float64{0, 0.02, -0.02, 0.01}, after: []float64{0.8, 0.82, 0.79}, every: 1, step: true},
		"a loss, seldom looked at":    {before: []float64{0, 0.02, -0.02, 0.01}, after: []float64{0.8, 0.82, 0.79}, every: 12, step: true},
		"what grows":                  {before: []float64{0, 0.02, -0.02, 0.01}, after: []float64{0.5, 0.6, 0.7}, every: 1, step: true, doubtful: true},
		"what grew, and shrinks":      {before: []float64{0, 0.02, -0.02, 0.01}, after: []float64{0.5, 0.8, 0.55}, every: 1, step: true, doubtful: true},
		"behind two blind looks":      {before: []float64{0, 0.02, -0.02, 0.01}, after: []float64{0.8, 0.82, 0.79}, every: 1, unseen: 2, step: true},
		"behind many":                 {before: []float64{0, 0.02, -0.02, 0.01}, after: []float64{0.8, 0.82, 0.79}, every: 1, unseen: 5, step: true, doubtful: true},
		"what goes on as it went":     {before: []float64{0, 0.3, 0.6, 0.9}, after: []float64{1.2}, every: 1, step: true, doubtful: true},
		"what went on while unseen":   {before: []float64{0, 0.02, 0.3}, after: []float64{0.9}, every: 1, unseen: 2},
		"a loss where all wavers":     {before: []float64{0, 0.1, 0, 0.1}, after: []float64{2, 2.1, 2}, every: 1, step: true},
		"less than where all wavers":  {before: []float64{0, 0.3, 0, 0.3}, after: []float64{0.7}, every: 1},
		"back to where it should be":  {before: []float64{0, 0.02, -0.02, 0.01}, after: []float64{0.5, 0.7, 0}, every: 1},
		"a loss behind what was none": {before: []float64{0, 0.02, -0.02, 0.01}, after: []float64{0.5, 0.7, 0, 0.8, 0.8}, every: 1, step: true},
	} {
		tr, layer := &trail{}, 0
		look := func(mm float64) (step Step) {
			layer += c.every
			step = tr.add(sample{layer: layer, mm: mm}, max(0.35, tr.wanders(layer)))
			if step.Sure > 0 && tr.doubts(step) {
				step.Creeps = true
			}
			tr.unseen = 0
			return step
		}
		for _, mm := range c.before {
			look(mm)
		}
		layer, tr.unseen = layer+c.every*c.unseen, c.unseen
		var step Step
		for _, mm := range c.after {
			step = look(mm)
		}
		if (step.Sure > 0) != c.step || step.Creeps != c.doubtful {
			t.Errorf("%s: got %+v", name, step)
		}
	}
}
