package history

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"layerd/printer"
)

func fromCard(id, name string, at int64, percent float64) *printer.Snapshot {
	return &printer.Snapshot{State: printer.Printing, Card: &printer.CardStatus{Present: true, Printing: true, ID: id, File: "/A.GCO", Name: name, Bytes: at, Size: 1000, Percent: percent, SinceMS: 5, ElapsedS: 7}}
}

// A print from the printer's card has its row from when it is seen to print until it ends, also when the disk is slow to take it.
func TestCardRow(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, _ func()) {
		m.snaps.Set(fromCard("card-1", "", 0, 0)) // chosen, and not yet printed
		synctest.Wait()
		if n := len(d.got(&d.began)); n != 0 {
			t.Fatalf("got %d rows for a file that was only chosen", n)
		}
		m.snaps.Set(fromCard("card-1", "Cube 20.gcode", 100, 10))
		time.Sleep(10 * time.Second)
		m.snaps.Set(fromCard("card-1", "Cube 20.gcode", 500, 50))
		time.Sleep(2 * time.Minute)
		if b := d.got(&d.began); len(b) != 1 || b[0].ID != "card-1" || b[0].File != "card:Cube 20.gcode" || b[0].StartedMS != 5 || b[0].By != "printer" {
			t.Fatalf("got rows %+v", b)
		}
		if j := d.got(&d.journalled); len(j) == 0 || j[len(j)-1].Percent != 50 {
			t.Errorf("got journal %+v", j)
		}
		m.snaps.Set(&printer.Snapshot{State: printer.Idle, Card: &printer.CardStatus{Present: true},
			LastJob: &printer.JobOutcome{ID: "card-1", Name: "Cube 20.gcode", Outcome: "interrupted", Reason: "its end was not seen", EndedMS: 77, Percent: 60, Card: true}})
		time.Sleep(10 * time.Second)
		if e := d.got(&d.ended); len(e) != 1 || e[0].ID != "card-1" || e[0].Outcome != "interrupted" || e[0].Percent != 60 || e[0].EndedMS != 77 {
			t.Errorf("got ends %+v", e)
		}

		d.breakWith(errors.New("full"))
		m.snaps.Set(fromCard("card-2", "", 100, 10))
		time.Sleep(20 * time.Second)
		m.snaps.Set(&printer.Snapshot{State: printer.Idle, LastJob: &printer.JobOutcome{ID: "card-2", Outcome: "done"}})
		time.Sleep(time.Minute)
		d.breakWith(nil)
		time.Sleep(time.Minute)
		if b, e := d.got(&d.began), d.got(&d.ended); len(b) != 2 || b[1].File != "card:A.GCO" || b[1].Outcome != "" || len(e) != 2 || e[1].Outcome != "done" {
			t.Errorf("after the disk was full: began %+v, ended %+v", b, e)
		}
	})
}

// Until its name is known a print from the card has no row, and so nothing that could be written before a spool is put on.
func TestFlushBeforeTheCardsNameIsKnown(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, _ func()) {
		m.snaps.Set(fromCard("card-1", "", 100, 10))
		if err := r.Flush(t.Context()); err != nil || len(d.got(&d.began)) != 0 || len(d.got(&d.journalled)) != 0 {
			t.Errorf("got %v, rows %v and journal %v, want nothing written", err, d.got(&d.began), d.got(&d.journalled))
		}
	})
}

// layerd is stopped soon after a short print from the card has ended well.
func TestStopEndsTheCardsRow(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, stop func()) {
		m.snaps.Set(fromCard("card-1", "", 100, 10))
		synctest.Wait()
		m.snaps.Set(&printer.Snapshot{State: printer.Idle, LastJob: &printer.JobOutcome{ID: "card-1", Outcome: "done", Card: true}})
		synctest.Wait()
		stop()
		if b, e := d.got(&d.began), d.got(&d.ended); len(b) != 1 || len(e) != 1 || e[0].Outcome != "done" {
			t.Errorf("began %+v, ended %+v, want one row that is done", b, e)
		}
	})
}

func TestLastOutcomeOfTheCard(t *testing.T) {
	got, err := LastOutcome(t.Context(), rows{{ID: "card-1", File: "card:Toys/Cube 20.gcode", Outcome: "interrupted"}})
	if err != nil || got.File != "" || got.Name != "Toys/Cube 20.gcode" || !got.Card {
		t.Errorf("got %+v, %v", got, err)
	}
}
