package server

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"layerd/camera"
	"layerd/internal/access"
	"layerd/internal/latest"
)

// What flows here: the newest frame → programs that know OctoPrint's addresses. They cannot show a picture's age, so they get
// none when the camera is not live.

// webcamPath is where programs find them. There a ticket is as good as a key of a viewer, as for the pictures of files that other APIs have.
const webcamPath = "/webcam/"

// serveWebcam answers /webcam/?action=snapshot and ?action=stream, with id=N those of another camera than the first. The same below /webcam/N/, for
// programs that add the question themselves. Other parameters, such as those against caches, mean nothing.
func (s *Server) serveWebcam(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	id, frames, err := s.cameraOf(r)
	if err != nil {
		return err
	}
	switch r.URL.Query().Get("action") {
	case "snapshot":
		return s.webcamSnapshot(w, id, frames)
	case "stream":
		return s.webcamStream(w, r, me, id, frames)
	}
	return badCommand("action must be snapshot or stream.")
}

// webcamSnapshot answers with the newest frame, and its age in milliseconds in X-Frame-Age.
func (s *Server) webcamSnapshot(w http.ResponseWriter, id int, frames *latest.Value[*camera.Frame]) error {
	frame, _ := frames.Get()
	if frame == nil || !s.cameraStatus(id).Live {
		return errNoPicture
	}
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Length", strconv.Itoa(len(frame.JPEG)))
	h.Set("X-Frame-Age", strconv.FormatInt(max(time.Since(frame.Time).Milliseconds(), 0), 10))
	writeSized(w, int64(len(frame.JPEG)))
	w.Write(frame.JPEG) // the client is gone when this fails
	return nil
}

// ServeSnapshot answers with the newest picture of a camera; of the first one when id is -1.
func (s *Server) ServeSnapshot(w http.ResponseWriter, id int) error {
	if all, _ := s.cfg.Cameras.Status().Get(); id < 0 && len(all) > 0 {
		id = all[0].ID
	}
	frames := s.cfg.Cameras.Frames(id)
	if frames == nil {
		return errNoCamera
	}
	return s.webcamSnapshot(w, id, frames)
}

// webcamStream answers with pictures until the client takes none for writeMax. A slow client skips frames.
func (s *Server) webcamStream(w http.ResponseWriter, r *http.Request, me access.Identity, id int, frames *latest.Value[*camera.Frame]) error {
	if err := s.streams.takeAs(me.Role); err != nil {
		return err
	}
	defer s.streams.free()
	defer s.cfg.Cameras.Look(id)()
	ctx, end := context.WithCancel(r.Context())
	defer end()
	defer context.AfterFunc(s.life, end)()
	if conn := access.ConnOf(r.Context()); conn != nil {
		smallBuffer(conn, 64<<10)
	}
	const boundary = "layerd-frame"
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary="+boundary)
	w.Header().Set("Transfer-Encoding", "identity") // until the connection ends: chunks cost each picture two more writes, and simple programs cannot read them
	out := http.NewResponseController(w)
	before := "--" + boundary + "\r\n"
	still := s.stand(r, me)
	for seen := uint64(0); ; {
		soon, cancel := context.WithTimeout(ctx, pingEvery)
		frame, seq, err := frames.Next(soon, seen)
		cancel()
		if ctx.Err() != nil || s.cfg.Cameras.Frames(id) != frames {
			return nil // the client or the daemon has ended it, or the camera was removed
		}
		if _, gone := still.check(); gone != nil { // also while the camera gives nothing
			return nil
		}
		if err != nil {
			continue
		}
		seen = seq
		if frame == nil {
			continue
		}
		writeBy(w, writeMax)
		fmt.Fprintf(w, "%sContent-Type: image/jpeg\r\nContent-Length: %d\r\nX-Timestamp: %.3f\r\n\r\n", before, len(frame.JPEG), float64(frame.Time.UnixMilli())/1000)
		w.Write(frame.JPEG)
		// The boundary that ends this picture follows at once, or a browser shows it only when the next one comes.
		fmt.Fprintf(w, "\r\n--%s\r\n", boundary)
		before = ""
		if out.Flush() != nil {
			return nil
		}
	}
}
