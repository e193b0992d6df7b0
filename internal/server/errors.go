package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"layerd/camera"
	"layerd/gcode"
	"layerd/internal/access"
	"layerd/internal/guard"
	"layerd/internal/overlay"
	"layerd/internal/power"
	"layerd/internal/renew"
	"layerd/internal/spools"
	"layerd/internal/store"
	"layerd/internal/timelapse"
	"layerd/printer"
)

// ErrBackup is a file that cannot be restored, wrapped with why, in words for people.
var ErrBackup = errors.New("this cannot be restored")

// kind says how one kind of failure is told to people and programs.
type kind struct {
	code    string
	status  int
	cause   error  // errors.Is finds it; nil for our own refusals, which carry the code
	message string // "" = the error's own words
	next    string
}

// kinds are all failures. The first whose cause fits counts; the last is for what nobody foresaw.
var kinds = []kind{
	{"key_needed", 401, access.ErrDenied, "A key is needed.", "Log in, open the link that layerd printed, or make a key with `layerd token create`."},
	{"key_needed", 401, access.ErrUnsure, "The network does not know who you are at the moment.", "Try again, or log in."},
	{"not_invited", 403, access.ErrNotInvited, "", "Ask the owner of this printer to invite you by this name."},
	{"wrong_password", 401, access.ErrWrongPassword, "This name and password do not belong together.", "Try again; each wrong try makes the next one wait longer. Who has forgotten a password asks the owner for a new one."},
	{"not_proven", 403, access.ErrNotProven, "That is not right.", "Try again; each wrong try makes the next one wait longer."},
	{"no_password", 409, access.ErrNoPassword, "You have no password here.", "Show a key instead; with the tailnet there is nothing to show."},
	{"confirm", 403, nil, "Show again that it is you.", "Type your password, or a key."},
	{"setup_over", 409, access.ErrSetUp, "Somebody owns this layerd already.", "Log in. Who has forgotten the password makes a key with `layerd token create --role owner`."},
	{"bad_password", 422, access.ErrPassword, "", "Choose another password."},
	{"busy", 503, access.ErrBusy, "Many people are logging in at once.", "Try again in a moment."},
	{"too_many_tries", 429, access.ErrTooMany, "Too many wrong keys came from your address.", "Wait a minute, then try the right one."},
	{"role_too_low", 403, nil, "", "Ask the owner of this printer for a key that may do more."},
	{"cross_origin", 403, nil, "This request came from another website.", "Open layerd's own page."},
	{"wrong_host", 421, nil, "This request came by a name that is not this printer's.", "Open layerd by its address, or by its own name on the tailnet."},
	{"no_route", 404, nil, "There is nothing here.", "See docs/PROTOCOL.md for what there is."},
	{"method", 405, nil, "", "See docs/PROTOCOL.md for what there is."},
	{"bad_message", 400, nil, "", "See docs/PROTOCOL.md for what is expected."},
	{"bad_form", 400, nil, "", ""},
	{"bad_command", 400, nil, "", "See docs/PROTOCOL.md for what is expected."},
	{"unknown_command", 400, nil, "", "See docs/PROTOCOL.md for the commands there are."},
	{"id_reused", 409, nil, "This id was used for another command before.", "Give each command its own id; repeat one only to repeat the same command."},
	{"crowded", 503, nil, "Too much is going on at once.", "Try again in a moment."},
	{"bad_backup", 422, ErrBackup, "", "Choose another file."},
	{"no_backup", 409, nil, "", "Start layerd without --demo."},
	{"locked", 409, nil, "", "Change it there and restart layerd."},
	{"bad_profile", 422, nil, "", "Correct the value and save again."},
	{"bad_script", 422, nil, "", "Correct the line and save again."},
	{"no_profile", 404, printer.ErrNoProfile, "There is no such profile.", "Look at the list of profiles again."},
	{"no_lamp", 404, nil, "No lamp is set up.", "An owner sets it up in Settings, Power and light."},
	{"no_power", 404, power.ErrNone, "No switch for the printer's power is set up.", "An owner sets it up in Settings, Power and light."},
	{"bad_power", 422, power.ErrSetup, "", "Correct the value and save again."},
	{"wrong_state", 409, power.ErrPrinting, "A print is under way.", "Wait until it has ended, or cancel it."},
	{"hot", 409, power.ErrHot, "", "Have it go off by itself once it is cool."},
	{"deaf_switch", 502, power.ErrReach, "", "Look at it, and at its address in Settings, Power and light."},
	{"no_machine", 409, power.ErrMachine, "", "Log in to it and do it by hand: sudo reboot or sudo poweroff."},
	{"no_button", 404, nil, "There is no such button any more.", "Look at the buttons again."},
	{"bad_overlay", 422, overlay.ErrSettings, "", "Correct the value and save again."},
	{"no_overlay", 409, overlay.ErrNotHere, "The network that is used has no such thing, or none is used.", "Look at Settings, Away from home."},
	{"not_told", 502, overlay.ErrNotTold, "This machine has left, but the network was not told.", "Remove it at the network's own page, too."},
	{"deaf_overlay", 502, overlay.ErrDeaf, "The network does not answer, so nothing was changed.", "Look at Settings, Away from home, for the reason."},
	{"bad_camera", 422, nil, "", "Correct the value and save again."},
	{"bad_camera", 422, camera.ErrSettings, "", "Correct the value and save again."},
	{"no_camera", 404, nil, "There is no such camera.", "Look again: somebody may have removed it."},
	{"no_restart", 409, renew.ErrNobody, "layerd cannot be started again from here.", "Start it again where you have started it."},
	{"stopping", 503, camera.ErrStopped, "layerd is stopping.", "Try again."},
	{"no_picture", 503, nil, "There is no picture.", "See the camera's status on the Settings screen."},
	{"websocket", 400, nil, "This address speaks websocket only.", "See docs/PROTOCOL.md."},

	{"too_hot", 422, nil, "", "Slice the file for this printer, or correct the limits of its profile if they are wrong. The owner may start it beyond them, once."},
	{"line_too_long", 422, nil, "", "Shorten or remove that line: the firmware can never take it."},
	{"no_file", 404, store.ErrNotFitted, "There is no copy with arcs of this file.", "Look at the file itself."},
	{"not_started", 409, nil, "The start was called off while the file was being prepared.", ""},
	{"warning", 409, nil, "This file may not suit the printer.", "Start it anyway only if you know why."},

	{"not_connected", 409, printer.ErrNotConnected, "The printer is not connected.", "Connect it on the Settings screen."},
	{"wrong_state", 409, printer.ErrWrongState, "", "Look at what the printer is doing now, then try again."},
	{"other_job", 409, printer.ErrOtherJob, "", "Look at what is printing now, then try again."},
	{"no_objects", 409, printer.ErrNoObjects, "This file does not say which of its lines are of which object, so none can be skipped.", "Slice it with its objects labelled: “Label objects” in PrusaSlicer and OrcaSlicer; Cura always does."},
	{"old_prompt", 409, printer.ErrNoPrompt, "The printer no longer asks this.", "Look at what it asks now."},
	{"bad_stop", 422, printer.ErrStop, "", "Choose a layer that is still to come."},
	{"no_check", 409, printer.ErrCheck, "", "Look at what watches this print for the reason."},
	{"not_rehomed", 409, printer.ErrRehome, "", "Home X and Y once more, or resume as it is."},
	{"limit", 422, printer.ErrLimit, "", "Choose a value within the limits of the printer's profile."},
	{"bad_line", 422, printer.ErrBadCommand, "", "Check what you typed."},
	{"no_card", 409, printer.ErrNoCard, "No memory card is in the printer.", "Put one in, or look whether the printer has seen it."},
	{"card_file", 422, printer.ErrCardFile, "", "Read the card again; rename the file on it if its name is the reason."},
	{"not_homed", 409, printer.ErrNotHomed, "The printer has not been homed since it was connected.", "Home it first."},
	{"crowded", 503, printer.ErrBusyQueue, "Too many typed commands are waiting.", "Wait until the printer has taken them."},

	{"bad_setting", 422, gcode.ErrSetting, "", "Correct the line. Only lines that the printer lists can be changed here."},
	{"no_mesh", 409, gcode.ErrNoMesh, "", "Measure the bed first, if this printer can."},
	{"no_copy", 404, store.ErrNoCopy, "There is no such copy of settings.", "Look at the list of copies."},
	{"refused", 422, nil, "", "See the console for the whole conversation."},

	{"bad_name", 400, store.ErrName, "", "Choose another name."},
	{"bad_role", 422, store.ErrRole, "", "Choose viewer, operator or owner."},
	{"bad_expiry", 422, store.ErrExpiry, "", "Choose another time."},
	{"name_taken", 409, store.ErrTaken, "Somebody has this name already.", "Choose another name."},
	{"last_owner", 409, store.ErrLastOwner, "Nobody would be left who may do everything.", "Make somebody else an owner first."},
	{"no_person", 404, store.ErrPerson, "There is no such person.", "Look at the list of people again."},
	{"no_key", 404, store.ErrNoToken, "There is no such key.", "Look at the list of keys again."},
	{"no_app", 404, nil, "This program asks for no key, or no longer.", "Let it ask again."},
	{"app_waiting", 202, nil, "Nobody has answered yet.", "An owner of this printer answers on layerd's page."},
	{"no_session", 404, store.ErrSession, "There is no such session.", "Look at the list again: it may have ended."},
	{"not_kept", 404, store.ErrNotKept, "This was not kept of that print.", "Look at the history for what there is; of old prints only the rows stay."},
	{"no_file", 404, store.ErrNotFound, "There is no such file.", "Look at the list of files."},
	{"other_file", 409, nil, "This file was replaced by another.", "Open it again."},
	{"exists", 409, store.ErrExists, "There is already a file of that name.", "Choose another name, or say that it is to be overwritten."},
	{"exists", 409, printer.ErrProfileName, "There is already a profile of that name.", "Choose another name."},
	{"too_big", 413, store.ErrTooBig, "", "Raise files.max_mb in the configuration if this is a real print."},
	{"no_space", 507, store.ErrNoSpace, "", "Delete files that are no longer needed."},
	{"in_use", 409, store.ErrInUse, "This file is being printed.", "Wait until the print has ended."},
	{"not_empty", 409, store.ErrNotEmpty, "The folder is not empty.", "Delete what is in it first."},
	{"not_gcode", 422, store.ErrNotGCode, "", "Upload the G-code that your slicer writes."},

	{"bad_spool", 422, store.ErrSpool, "", "Correct the value and save again."},
	{"no_spool", 404, store.ErrNoSpool, "There is no such spool.", "Look at the list of spools."},
	{"spools_elsewhere", 409, spools.ErrElsewhere, "The spools are kept in Spoolman.", "Change them there."},
	{"bad_entry", 422, store.ErrQueue, "", "Choose another number."},
	{"not_queued", 409, store.ErrNoEntry, "This is no longer in the queue.", "Look at the queue again."},
	{"queue_empty", 409, nil, "The queue is empty.", "Add a file to it."},
	{"queue_changed", 409, nil, "Another file is next in the queue now.", "Look at the queue again."},

	{"bad_timelapse", 422, timelapse.ErrSettings, "", "Correct the value and save again."},
	{"no_timelapse", 404, timelapse.ErrNotFound, "There is no such timelapse.", "Look at the list of timelapses again."},
	{"recording", 409, timelapse.ErrRunning, "This timelapse is still being recorded.", "Wait until the print has ended."},
	{"no_frames", 404, timelapse.ErrNoFrames, "The frames of this timelapse were dropped to make room.", "Its video is still there."},
	{"no_video", 404, timelapse.ErrNoVideo, "This timelapse has no video.", "Look at the list of timelapses again."},
	{"no_ffmpeg", 409, timelapse.ErrNoFFmpeg, "ffmpeg is not installed, so no video can be made.", "Install it: sudo apt install ffmpeg. The frames can be played without it."},
	{"stopping", 503, timelapse.ErrStopped, "layerd is stopping.", "Try again."},

	{"bad_guard", 422, guard.ErrSettings, "", "Correct the value and save again."},
	{"bad_corners", 422, guard.ErrCorners, "", "Show all four corners again."},
	{"not_kept", 404, guard.ErrNoPicture, "", "Do the set-up again: it takes that picture."},
	{"guard_busy", 409, guard.ErrBusy, "", "Wait until it has ended, or cancel it."},
	{"not_set_up", 409, guard.ErrNotSetUp, "Watching for layer shifts is not set up.", "Do the set-up first: it takes two minutes."},
	{"no_recording", 404, guard.ErrNoRecording, "There is no such recording any more.", "Look at the list again."},
	{"no_alarm", 409, guard.ErrNoAlarm, "There is no such alarm any more.", "Look at what the print does now."},
	{"stopping", 503, guard.ErrStopped, "layerd is stopping.", "Try again."},

	{"too_slow", 408, os.ErrDeadlineExceeded, "The data came too slowly.", "Check the network and try again."},
	{"cut_off", 400, io.ErrUnexpectedEOF, "The data ended too early.", "Try again."},
	{"timeout", 504, context.DeadlineExceeded, "This took too long.", "Look at the printer's state before you try again."},
	{"stopping", 503, context.Canceled, "layerd is stopping, or the request was given up.", "Try again."},
	{"internal", 500, nil, "Something went wrong inside layerd.", "See its log."},
}

var (
	errNoRoute     = &refusal{code: "no_route"}
	errConfirm     = &refusal{code: "confirm"}
	errCrossOrigin = &refusal{code: "cross_origin"}
	errWrongHost   = &refusal{code: "wrong_host"}
	errCrowded     = &refusal{code: "crowded"}
	errReused      = &refusal{code: "id_reused"}
	errNoPicture   = &refusal{code: "no_picture"}
	errNoCamera    = &refusal{code: "no_camera"}
	errWebsocket   = &refusal{code: "websocket"}
	errBroken      = &refusal{code: "internal"}
)

// refusal is a failure that the server itself decides on.
type refusal struct {
	code     string // of a kind
	message  string // "" = the kind's
	warnings []string
	problems []printer.Problem
	allow    string // code "method": what is possible
}

func (r *refusal) Error() string { return r.code + ": " + r.message }

func badCommand(message string) error { return &refusal{code: "bad_command", message: message} }

// explain turns an error into what people and programs are told, and its HTTP status.
func explain(err error) (Error, int) {
	var refused *refusal
	var fault *printer.Fault
	var tooLong *http.MaxBytesError
	var said *told
	if problems := problemsOf(err); problems != nil {
		err = &refusal{code: "bad_script", message: sentence(err.Error()), problems: problems}
	}
	switch {
	case errors.As(err, &said):
		return said.what, statusOf(said.what.Code)
	case errors.As(err, &refused):
		for _, k := range kinds {
			if k.code == refused.code {
				e := Error{Code: k.code, Message: k.message, Next: k.next, Warnings: refused.warnings, Problems: refused.problems}
				if refused.message != "" {
					e.Message = refused.message
				}
				return e, k.status
			}
		}
	case errors.As(err, &fault):
		return Error{Code: string(fault.Code), Message: fault.Message, Next: fault.Next}, http.StatusBadGateway
	case errors.As(err, &tooLong):
		return Error{Code: "bad_message", Message: "This is too long."}, http.StatusRequestEntityTooLarge
	}
	last := kinds[len(kinds)-1]
	for _, k := range kinds {
		if k.cause != nil && errors.Is(err, k.cause) {
			last = k
			break
		}
	}
	if last.message == "" {
		last.message = sentence(err.Error())
	}
	var wait *access.Wait
	if errors.As(err, &wait) {
		last.message, last.next = "That was wrong too often.", fmt.Sprintf("Wait %s, then try again.", seconds(wait.For))
	}
	return Error{Code: last.code, Message: last.message, Next: last.next}, last.status
}

// seconds is a time to wait, for people.
func seconds(d time.Duration) string {
	return count(int64((d+time.Second-1)/time.Second), "second", "seconds")
}

// sentence makes an error's text readable: one line with a capital and a full stop, at most 400 bytes.
func sentence(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	if len(text) > 400 {
		text = strings.ToValidUTF8(text[:400], "") + "…"
	}
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// answerError is explain for a command: failures that nobody foresaw are logged.
func (s *Server) answerError(err error) *Error {
	e, status := explain(err)
	if status == http.StatusInternalServerError {
		s.log.Error("a command went wrong", "err", err)
	}
	return &e
}

// fail answers a request with an error. What is left of the body is not read: the connection ends instead.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e, status := explain(err)
	if status == http.StatusInternalServerError && !errors.Is(err, net.ErrClosed) { // closed: layerd ends
		s.log.Error("a request went wrong", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	var refused *refusal
	if errors.As(err, &refused) && refused.allow != "" {
		w.Header().Set("Allow", refused.allow)
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="layerd"`)
	}
	if status == http.StatusTooManyRequests {
		after := time.Minute
		var wait *access.Wait
		if errors.As(err, &wait) {
			after = wait.For
		}
		w.Header().Set("Retry-After", strconv.Itoa(int((after+time.Second-1)/time.Second)))
	}
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close")
	}
	s.writeJSON(w, status, ErrorAnswer{Error: e})
}

// writeJSON writes v as the whole answer.
func (s *Server) writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // a number that JSON has no word for, such as NaN
		s.log.Error("an answer cannot be written as JSON", "err", err)
		status, body = http.StatusInternalServerError, []byte(`{"error":{"code":"internal","message":"Something went wrong inside layerd.","next":"See its log."}}`)
	}
	writeSized(w, int64(len(body)))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(body, '\n')) // the client is gone when this fails
}
