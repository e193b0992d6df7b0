package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"layerd/internal/access"
	"layerd/printer"
)

// What flows here, for one page:
//
//	views, answers, console lines, beats ─▶ write (the socket's one writer) ─▶ page
//	page ─▶ read ─▶ a goroutine for each command ─▶ perform ─▶ answers
//
// Reading never waits for a command, nor for the writer: an emergency stop is read while anything else hangs.

const (
	beatEvery    = 2 * time.Second
	consoleEvery = 100 * time.Millisecond
	consoleMax   = 500 // entries in one message
)

// socket is one page on the live websocket.
type socket struct {
	s     *Server
	conn  *websocket.Conn
	me    access.Identity
	still *standing // of me

	ctx     context.Context // ends with the socket
	end     context.CancelFunc
	working sync.WaitGroup

	out      chan any             // answers and beats
	quiet    *time.Timer          // nothing was written for beatEvery. Only write touches it
	console  chan []printer.Entry // the newest lines, when asked for
	commands slots
	urgent   slots              // emergency stops, which no other command can crowd out
	unwatch  context.CancelFunc // ends the console's lines; nil when there are none. Only read touches it
}

// serveLive opens the live socket and holds it until either side is gone.
func (s *Server) serveLive(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	if err := s.liveSockets.takeAs(me.Role); err != nil {
		return err
	}
	defer s.liveSockets.free()
	conn, err := upgrade(w, r, &websocket.Upgrader{ReadBufferSize: 2048, WriteBufferSize: 4096, EnableCompression: true})
	if conn == nil {
		return err
	}
	k := &socket{s: s, conn: conn, me: me, still: s.stand(r, me), out: make(chan any, 64), console: make(chan []printer.Entry),
		quiet: time.NewTimer(beatEvery), commands: make(slots, 16), urgent: make(slots, 4)}
	k.ctx, k.end = context.WithCancel(s.life)
	k.working.Go(k.guarded(k.read))
	k.guarded(k.write)()
	conn.Close() // ends read
	k.working.Wait()
	return nil
}

// guarded makes f a goroutine's whole life: when it is over, however that came, the socket ends.
func (k *socket) guarded(f func()) func() {
	return func() {
		defer k.end()
		defer func() {
			if p := recover(); p != nil {
				k.s.log.Error("a live socket went wrong", "panic", p, "stack", string(debug.Stack()))
			}
		}()
		f()
	}
}

// write is the only writer. It returns when the socket is over.
func (k *socket) write() {
	wake := make(chan struct{}, 1)
	_, seen := k.s.views.Get()
	k.working.Go(func() { follow(k.ctx, k.s.views, seen, wake) })
	ping, minute := time.NewTicker(pingEvery), time.NewTicker(recheckEvery)
	defer k.quiet.Stop()
	defer ping.Stop()
	defer minute.Stop()

	first := k.s.compose()
	shown := first.state.Rev
	err := k.view(first)
	for err == nil {
		select {
		case m := <-k.out:
			err = k.message(m)
		case <-wake:
			// The very first view may be newer than the shared one: never go back.
			if v, seq := k.s.views.Get(); seq != seen && v.state.Rev >= shown {
				seen, shown = seq, v.state.Rev
				err = k.view(v)
			}
		case lines := <-k.console:
			err = k.message(ConsoleLines{Type: "console", Lines: lines})
		case <-k.quiet.C:
			err = k.message(Beat{Type: "beat", NowMS: time.Now().UnixMilli()})
		case <-ping.C:
			err = k.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeMax))
		case <-minute.C:
			err = recheck(k.conn, k.still, k.me)
		case <-k.still.changed():
			err = recheck(k.conn, k.still, k.me)
		case <-k.ctx.Done():
			bye(k.conn, websocket.CloseGoingAway, "")
			return
		}
	}
}

func (k *socket) view(v *view) error {
	m, err := v.message(k.me)
	if err != nil {
		k.s.log.Error("the state cannot be sent", "err", err)
		return err
	}
	k.quiet.Reset(beatEvery)
	k.conn.SetWriteDeadline(time.Now().Add(writeMax))
	return k.conn.WritePreparedMessage(m)
}

func (k *socket) message(m any) error {
	k.quiet.Reset(beatEvery)
	k.conn.SetWriteDeadline(time.Now().Add(writeMax))
	return k.conn.WriteJSON(m)
}

// read takes messages until the client is gone.
func (k *socket) read() {
	listen(k.conn, maxCommand)
	for k.ctx.Err() == nil {
		kind, text, err := k.next()
		if err != nil {
			return
		}
		k.conn.SetReadDeadline(time.Now().Add(quietMax))
		var m FromPage
		if kind != websocket.TextMessage {
			err = errors.New("messages must be text")
		} else {
			err = decode(text, &m)
		}
		if err != nil {
			k.refuse(m.ID, &refusal{code: "bad_message", message: sentence(err.Error())})
			continue
		}
		k.hear(m)
	}
}

// next waits for a message. The connection's own limit counts what comes over the wire; compressed, that may be a thousand times as long here.
func (k *socket) next() (kind int, text []byte, err error) {
	kind, r, err := k.conn.NextReader()
	if err != nil {
		return 0, nil, err
	}
	if text, err = io.ReadAll(io.LimitReader(r, maxCommand+1)); err != nil {
		return 0, nil, err
	}
	if len(text) > maxCommand {
		bye(k.conn, websocket.CloseMessageTooBig, "")
		return 0, nil, websocket.ErrReadLimit
	}
	return kind, text, nil
}

func (k *socket) hear(m FromPage) {
	switch {
	case m.Do != "":
		k.command(m.Command)
	case m.Console != nil:
		k.watch(*m.Console)
	case m.Beat != "" && len(m.Beat) <= 32:
		k.send(Beat{Type: "beat", Echo: m.Beat, NowMS: time.Now().UnixMilli()})
	default:
		k.refuse(m.ID, badCommand("This message needs do, beat or console."))
	}
}

// command does a command in its own goroutine, so that a slow one holds up nothing.
func (k *socket) command(cmd Command) {
	if cmd.ID == "" {
		k.refuse("", badCommand("This command needs id."))
		return
	}
	room := k.commands
	if cmd.Do == emergencyStop {
		room = k.urgent
	}
	if err := room.take(); err != nil {
		k.refuse(cmd.ID, err)
		return
	}
	k.working.Go(func() {
		defer room.free()
		me, err := k.now(cmd)
		answer := Answer{Type: "answer", ID: cmd.ID}
		if err != nil {
			answer.Error = k.s.answerError(err)
		} else {
			answer = k.s.perform(k.ctx, me, cmd)
		}
		select {
		case k.out <- answer:
		case <-k.ctx.Done():
		}
	})
}

// now is who gives a command. write ends the socket of somebody who may do something else by now, but a client that takes nothing holds it up, and must not
// go on giving commands meanwhile. For a dangerous one he is asked for in any case, since what he has shown may have been too long ago, or only just now.
func (k *socket) now(cmd Command) (access.Identity, error) {
	switch found := commandNamed(cmd.Do); {
	case cmd.Do == emergencyStop:
		return k.me, nil // it waits for no look-up
	case found != nil && found.asks == again:
		return k.s.cfg.Gate.Identify(k.still.r)
	}
	return k.still.check()
}

// send queues a message without waiting. A client that asks much and reads nothing is let go.
func (k *socket) send(m any) {
	select {
	case k.out <- m:
	default:
		k.end()
	}
}

func (k *socket) refuse(id ID, err error) {
	k.send(Answer{Type: "answer", ID: id, Error: k.s.answerError(err)})
}

// watch begins or ends the flow of console lines. They may hold whatever the firmware says, so they take an operator.
func (k *socket) watch(w Watch) {
	if k.unwatch != nil {
		k.unwatch()
		k.unwatch = nil
	}
	if !w.On {
		return
	}
	if k.me.Role < access.Operator {
		k.refuse("", roleTooLow(access.Operator))
		return
	}
	ctx, stop := context.WithCancel(k.ctx)
	k.unwatch = stop
	k.working.Go(func() { k.tail(ctx, w.Since) })
}

// tail hands over console lines in batches, at most ten a second. A page that is too slow for them skips what falls out
// of the ring.
func (k *socket) tail(ctx context.Context, since uint64) {
	for {
		lines, err := k.s.cfg.Console.Since(ctx, since, consoleMax)
		if err != nil {
			if ctx.Err() == nil {
				k.s.log.Warn("console lines cannot be read", "err", err)
			}
			return
		}
		if len(lines) > 0 {
			since = lines[len(lines)-1].Seq
			select {
			case k.console <- lines:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-time.After(consoleEvery):
		case <-ctx.Done():
			return
		}
	}
}
