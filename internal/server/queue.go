package server

import (
	"context"
	"errors"
	"net/http"

	"layerd/internal/access"
	"layerd/internal/store"
)

// The queue belongs to the store, whose transactions are its only owner. What flows here: a command → one transaction → queue_rev grows → pages read
// it again. start_next: the first entry → start.go, with all its checks → the row of the print names the entry → its copies count down when that
// print is done (store/queue.go).

// serveQueue answers GET /v1/queue.
func (s *Server) serveQueue(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	queue, err := s.cfg.Queue.Queue(r.Context())
	if err != nil {
		return err
	}
	list := QueueList{Entries: make([]QueueEntry, 0, len(queue))}
	for _, e := range queue {
		entry := QueueEntry{Entry: e, Name: e.File}
		file, err := s.cfg.Files.Stat(r.Context(), e.File)
		switch {
		case errors.Is(err, store.ErrNotFound):
			entry.Gone = true
		case err != nil:
			return err
		default:
			entry.Name, entry.EstimateS, entry.FilamentMM, entry.Thumbnail, entry.SHA256 = file.Name, file.EstimateS, file.FilamentMM, file.Thumbnail, file.SHA256
		}
		list.Entries = append(list.Entries, entry)
	}
	s.writeJSON(w, http.StatusOK, list)
	return nil
}

// countQueue notes how long the queue is, for the state.
func (s *Server) countQueue(ctx context.Context) {
	queue, err := s.cfg.Queue.Queue(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("the queue cannot be read", "err", err)
		}
		return
	}
	s.queued.Store(int64(len(queue)))
}

func (s *Server) doQueueAdd(ctx context.Context, c *call) (uint64, error) {
	if c.File == "" {
		return 0, badCommand("This command needs file.")
	}
	_, err := s.cfg.Queue.AddToQueue(ctx, c.File, max(c.Copies, 1), c.me.Name)
	return s.rev(), err
}

func (s *Server) doQueueMove(ctx context.Context, c *call) (uint64, error) {
	return s.rev(), s.cfg.Queue.MoveInQueue(ctx, c.Entry, c.Before)
}

func (s *Server) doQueueCopies(ctx context.Context, c *call) (uint64, error) {
	return s.rev(), s.cfg.Queue.SetCopies(ctx, c.Entry, c.Copies)
}

func (s *Server) doQueueRemove(ctx context.Context, c *call) (uint64, error) {
	return s.rev(), s.cfg.Queue.Unqueue(ctx, c.Entry)
}

// doStartNext prints the queue's first entry. Whether the bed is clear only the person who gives the command can know.
func (s *Server) doStartNext(ctx context.Context, c *call) (uint64, error) {
	id, rev, err := s.startPrint(ctx, wanted{next: true, entry: c.Entry, by: c.me.Name, anyway: c.Anyway, record: c.Record, stops: c.Stops, watch: c.Watch, powerOff: c.PowerOff})
	c.started = id
	return rev, err
}

// takeNext fills in the first entry, if it is the one that is meant. Prints are started one at a time, so it is begun once.
func (s *Server) takeNext(ctx context.Context, w *wanted) error {
	queue, err := s.cfg.Queue.Queue(ctx)
	switch {
	case err != nil:
		return err
	case len(queue) == 0:
		return &refusal{code: "queue_empty"}
	case w.entry != 0 && queue[0].ID != w.entry:
		return &refusal{code: "queue_changed"}
	}
	w.path, w.entry = queue[0].File, queue[0].ID
	return nil
}
