package peertest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// wait asks until the peer says what is waited for: whether it does is part of its answers. A state is told by push as well, a little later perhaps.
func (p *player) wait(ctx context.Context, what string) string {
	limit := patience
	if p.hurry {
		limit = hurried
	}
	ctx, done := context.WithTimeout(ctx, limit)
	defer done()
	for ctx.Err() == nil {
		if p.reached(ctx, what) {
			p.toBeTold(ctx, what)
			return "reached"
		}
		pause(ctx)
	}
	p.hurry = true
	return "never reached"
}

func pause(ctx context.Context) {
	select {
	case <-time.After(200 * time.Millisecond):
	case <-ctx.Done():
	}
}

// toBeTold holds the script for as long as the message may take, so that it is the same whoever is quicker.
func (p *player) toBeTold(ctx context.Context, state string) {
	if p.hurry || !slices.Contains(lasting, state) {
		return
	}
	ctx, done := context.WithTimeout(ctx, hurried)
	defer done()
	for ctx.Err() == nil && p.heard.told() != state {
		pause(ctx)
	}
}

// reached: "told KIND" of a pushed message, "analysed FILE", "counted FILE" whose print has ended since
// something was asked for, "progress" of a print, "temperatures", "a card", "a file on the card", "a notice" and
// "a question" of the firmware, "no question", "finished", else a state of the job.
func (p *player) reached(ctx context.Context, what string) bool {
	var file struct {
		GcodeAnalysis map[string]any
		Prints        struct{ Last struct{ Date float64 } }
	}
	var printer struct {
		Temperature struct{ Tool0 struct{ Actual *float64 } }
		SD          struct{ Ready bool }
	}
	var prompt struct{ Text string }
	var notices struct{ Notifications []any }
	var card struct{ Files []any }
	var job struct {
		State    string
		Job      struct{ LastPrintTime *float64 }
		Progress struct{ Completion, PrintTimeLeft, PrintTime *float64 }
	}
	if path, isFile := strings.CutPrefix(what, "counted "); isFile {
		return p.read(ctx, "/api/files/local/"+path, &file) && file.Prints.Last.Date >= float64(p.begun.UnixMilli())/1000
	}
	if path, isFile := strings.CutPrefix(what, "analysed "); isFile {
		return p.read(ctx, "/api/files/local/"+path, &file) && file.GcodeAnalysis["estimatedPrintTime"] != nil
	}
	if kind, isMessage := strings.CutPrefix(what, "told "); isMessage {
		return p.heard.knows(kind)
	}
	switch what {
	case "a card":
		return p.read(ctx, "/api/printer", &printer) && printer.SD.Ready
	case "a notice":
		return p.read(ctx, "/api/plugin/action_command_notification", &notices) && len(notices.Notifications) > 0
	case "a question", "no question":
		return p.read(ctx, "/api/plugin/action_command_prompt", &prompt) && (prompt.Text != "") == (what == "a question")
	case "temperatures":
		return p.read(ctx, "/api/printer", &printer) && printer.Temperature.Tool0.Actual != nil
	case "a file on the card":
		return p.read(ctx, "/api/files/sdcard", &card) && len(card.Files) > 0 && p.reached(ctx, "Operational")
	}
	if !p.read(ctx, "/api/job", &job) {
		return false
	}
	switch at := job.Progress; what {
	case "progress":
		return at.Completion != nil && *at.Completion > 0 && at.PrintTimeLeft != nil && at.PrintTime != nil && *at.PrintTime >= 1
	case "finished":
		return job.State == "Operational" && at.Completion != nil && *at.Completion == 100 && job.Job.LastPrintTime != nil
	}
	return job.State == what
}

func (p *player) read(ctx context.Context, path string, into any) bool {
	text, err := p.fetch(ctx, "GET "+path, "")
	return err == nil && json.Unmarshal(text, into) == nil
}
