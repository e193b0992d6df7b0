package server

import (
	"context"
	"fmt"
	"net/http"

	"layerd/internal/access"
	"layerd/internal/guard"
	"layerd/internal/store"
)

// What was recorded of prints that were watched for layer shifts: listed, taken away as one archive for each print, deleted. Owners alone, for the pictures show a room.

// recordings is what the guard keeps of them. An ID that it does not list is ErrNoRecording: none becomes a path.
type recordings interface {
	Recordings() ([]guard.Recording, error)
	OpenRecording(job string) (*guard.Pack, error)
	DeleteRecording(ctx context.Context, job string) error
}

// RecordingList is the answer of GET /v1/recordings: the newest first.
type RecordingList struct {
	Recordings []guard.Recording `json:"recordings"`
	Bytes      int64             `json:"bytes"`       // of all of them
	LimitBytes int64             `json:"limit_bytes"` // beyond it the oldest are deleted
	FreeBytes  int64             `json:"free_bytes"`  // of the disk; -1 unknown
	LeastBytes int64             `json:"least_bytes"` // of the disk that must be free for something to be recorded
}

// serveRecordings answers GET /v1/recordings.
func (s *Server) serveRecordings(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	all, err := s.cfg.Guard.Recordings()
	if err != nil {
		return err
	}
	now, _ := s.cfg.Guard.States().Get()
	list := RecordingList{Recordings: all, LimitBytes: int64(now.Settings.RecordMB) * 1_000_000, FreeBytes: -1, LeastBytes: guard.LeastFree}
	if free, err := s.cfg.Files.Free(); err == nil {
		list.FreeBytes = free
	}
	places := map[string]int{}
	for i, one := range all {
		list.Bytes += one.Bytes
		places[one.Job] = i
	}
	err = s.cfg.Files.EachPrint(r.Context(), func(p store.Print) error {
		if i, ok := places[p.ID]; ok {
			list.Recordings[i].File = p.File
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("name recordings: %w", err)
	}
	return s.writePacked(w, r, list)
}

// serveRecording answers GET /v1/recordings/ID with all of it in one zip archive, which is made while it is sent.
func (s *Server) serveRecording(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	pack, err := s.cfg.Guard.OpenRecording(r.PathValue("path"))
	if err != nil {
		return err
	}
	defer pack.Close()
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", attachment("layerd-shifts-"+pack.Job+".zip"))
	if r.Method == http.MethodHead {
		return nil
	}
	writeSized(w, pack.Bytes)
	if err := pack.Zip(r.Context(), w); err != nil { // what has come is no archive: its list of files is at the end
		s.log.Info("a recording was not sent to its end", "job", pack.Job, "err", err)
	}
	return nil
}

// serveDeleteRecording answers DELETE /v1/recordings/ID.
func (s *Server) serveDeleteRecording(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	job := r.PathValue("path")
	if err := s.cfg.Guard.DeleteRecording(r.Context(), job); err != nil {
		return err
	}
	s.log.Info("recording deleted", "job", job, "who", me.Name)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
