package octoprint

import (
	"context"
	"net/http"
	"time"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/printer"
)

// jobRoutes are about the print under way.
func (a *API) jobRoutes() []server.Route {
	return []server.Route{
		{Method: "GET", Path: "/api/job", Least: access.Viewer, Serve: a.job},
		{Method: "POST", Path: "/api/job", Least: access.Operator, Serve: a.jobCommand},
	}
}

func (a *API) job(w http.ResponseWriter, _ *http.Request, me access.Identity) error {
	st := a.s.State(me)
	state := stateOf(st)
	job, progress := a.jobOf(st)
	return a.say(w, struct {
		Job      Job      `json:"job"`
		Progress Progress `json:"progress"`
		State    string   `json:"state"`
		Error    string   `json:"error,omitempty"`
	}{job, progress, state.Text, state.Error})
}

func (a *API) jobCommand(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	st, err := a.operational(me)
	if err != nil {
		return err
	}
	command, in, err := readCommand(w, r, map[string][]string{"start": nil, "restart": nil, "pause": nil, "cancel": nil})
	if err != nil {
		return err
	}
	active := st.State != printer.Idle
	switch command {
	case "start":
		if active {
			return refuse(http.StatusConflict, "A print is under way. Send restart to begin it anew.")
		}
		file, last := a.s.Selected(), st.LastJob
		err = a.start(r.Context(), me, file, last != nil && last.Card && last.File == file)
	case "restart":
		if st.State != printer.Paused {
			return refuse(http.StatusConflict, "Only a print that is paused begins anew.")
		}
		err = a.restart(r.Context(), me, st)
	case "cancel":
		if !active {
			return refuse(http.StatusConflict, "There is no print to cancel.")
		}
		if st.State != printer.Cancelling {
			err = a.s.Try(r.Context(), me, server.Command{Do: "cancel"})
		}
	case "pause":
		if !active {
			return refuse(http.StatusConflict, "There is no print to pause.")
		}
		err = a.pause(r.Context(), me, st, in)
	}
	if err != nil {
		return err
	}
	return done(w)
}

// start prints a file of the store, or of the printer's card. The original asks nothing before it prints, so warnings about the file are no reason not to; limits are.
func (a *API) start(ctx context.Context, me access.Identity, file string, ofCard bool) error {
	switch {
	case file == "":
		return refuse(http.StatusConflict, "No file is selected.")
	case ofCard:
		return a.s.Try(ctx, me, server.Command{Do: "start_card", File: file})
	}
	return a.s.Try(ctx, me, server.Command{Do: "start", File: file, Anyway: true})
}

// pause pauses, goes on, or does the one that is not the case. What is the case already is well.
func (a *API) pause(ctx context.Context, me access.Identity, st server.State, in asked) error {
	action := "toggle"
	if in.has("action") && string(in["action"]) != "null" {
		action, _ = in.text("action")
	}
	stands := st.State == printer.Paused || st.State == printer.Pausing
	switch action {
	case "toggle":
		if st.State == printer.Pausing {
			return nil // tapped twice
		}
	case "pause":
		if stands {
			return nil
		}
	case "resume":
		if !stands {
			return nil
		}
		if st.State == printer.Pausing {
			if _, err := a.wait(me, st, func(now server.State) bool { return now.State != printer.Pausing }); err != nil {
				return refuse(http.StatusConflict, "The printer is still about to pause.")
			}
		}
	default:
		return refuse(http.StatusBadRequest, "action is pause, resume or toggle.")
	}
	return a.s.Try(ctx, me, server.Command{Do: map[bool]string{true: "resume", false: "pause"}[stands]})
}

// waitMax is how long a client waits for what must end before what it asks for can begin.
const waitMax = time.Minute

// wait waits for a state newer than st, also when the client does not: what he asked for has begun.
func (a *API) wait(me access.Identity, st server.State, ok func(server.State) bool) (server.State, error) {
	ctx, cancel := context.WithTimeout(a.s.Life(), waitMax)
	defer cancel()
	for seen := uint64(0); ; {
		now, seq, err := a.s.Next(ctx, me, seen)
		if err != nil || now.Rev > st.Rev && ok(now) {
			return now, err
		}
		seen = seq
	}
}

// restart cancels the print that stands still, and begins it again when it is over.
func (a *API) restart(ctx context.Context, me access.Identity, st server.State) error {
	id := idOf(st)
	if err := a.s.Try(ctx, me, server.Command{Do: "cancel", Job: id}); err != nil {
		return err
	}
	now, err := a.wait(me, st, func(now server.State) bool {
		return now.State == printer.Idle || idOf(now) != "" && idOf(now) != id || !stateOf(now).Flags.Operational
	})
	switch {
	case err != nil:
		return refuse(http.StatusConflict, "The print was cancelled, and is not over yet. Start it when it is.")
	case now.State != printer.Idle:
		return errNotOperational
	}
	if onCard(st) {
		return a.start(ctx, me, st.Card.File, true)
	}
	return a.start(ctx, me, st.Job.File, false)
}
