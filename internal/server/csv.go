package server

import (
	"encoding/csv"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"layerd/internal/access"
	"layerd/internal/store"
)

// What flows here: rows of the history, a batch at a time → text that no spreadsheet calculates with → a client, as slowly as it may.

// csvHeader names the columns, with their units.
var csvHeader = []string{"Started (local time)", "Ended (local time)", "File", "Outcome", "Reason", "Fault", "Printed (s)", "Filament (m)", "Progress (%)",
	"Layer", "Layers", "Lines sent again", "Sent again (%)", "Starved (s)", "Starved by", "Started by", "Job", "SHA-256"}

// csvFlush is how many rows are written before the client is given more time.
const csvFlush = 100

// servePrintsCSV answers GET /v1/prints.csv: all rows, the oldest first, as RFC 4180 has it.
func (s *Server) servePrintsCSV(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", attachment("layerd-prints-"+time.Now().In(s.cfg.Zone).Format("2006-01-02")+".csv"))
	to := &countingWriter{w: w}
	out := csv.NewWriter(to)
	out.UseCRLF = true
	rows := 0
	err := out.Write(csvHeader)
	if err == nil {
		err = s.cfg.Files.EachPrint(r.Context(), func(p store.Print) error {
			if rows++; rows%csvFlush == 0 {
				writeBy(w, bodyIdle)
				out.Flush()
			}
			return out.Write(csvRow(p, s.cfg.Zone))
		})
	}
	if err == nil {
		writeBy(w, bodyIdle)
		out.Flush()
		err = out.Error()
	}
	switch {
	case err == nil:
		return nil
	case to.n == 0:
		h.Del("Content-Disposition")
		return err
	}
	s.log.Warn("the history was not exported to its end", "rows", rows, "err", err)
	writeBy(w, time.Nanosecond) // the connection breaks, so that nobody takes the part for the whole
	return nil
}

func csvRow(p store.Print, zone *time.Location) []string {
	number := func(v float64, decimals int) string { return strconv.FormatFloat(v, 'f', decimals, 64) }
	moment := func(ms int64) string {
		if ms == 0 {
			return ""
		}
		return time.UnixMilli(ms).In(zone).Format("2006-01-02 15:04:05")
	}
	outcome := p.Outcome
	if outcome == "" {
		outcome = "under way"
	}
	return []string{moment(p.StartedMS), moment(p.EndedMS), csvText(p.File), csvText(outcome), csvText(p.Reason), csvText(p.Fault),
		number(p.ElapsedS, 0), number(p.FilamentMM/1000, 3), number(p.Percent, 1), strconv.Itoa(p.Layer), strconv.Itoa(p.Layers),
		strconv.FormatInt(p.LinesAgain, 10), number(p.ResendPercent, 1), number(p.StarvedS, 1), csvText(p.StarvedBy), csvText(p.By), csvText(p.ID), csvText(p.SHA256)}
}

// csvText makes text harmless for spreadsheets, which run a cell that begins with one of these signs as a formula, whatever its quotes: an
// apostrophe before it makes it text (OWASP, CSV injection). Line ends and other control characters become spaces.
func csvText(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	first := strings.TrimLeftFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
	if first != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(first)[0]) {
		return "'" + text
	}
	return text
}

// countingWriter knows whether anything was written.
type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
