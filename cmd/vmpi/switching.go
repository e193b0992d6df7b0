package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// byThePage has the machine shut down, and restarted, as an owner does it on the page: layerd leaves a file, and systemd's path units see to it.
func (l *life) byThePage() error {
	// qemu ends at a restart, too; which of the two it was the kernel says last.
	goes := func(command, last string) func() (string, error) {
		return func() (string, error) {
			if err := l.ask("POST", "/v1/confirm", strings.NewReader(fmt.Sprintf(`{"password":%q}`, password)), http.StatusNoContent, nil); err != nil {
				return "", err
			}
			if _, err := l.do(`{"do":%q}`, command); err != nil {
				return "", err
			}
			began := time.Now()
			l.board.unplug()
			select {
			case <-l.gone:
			case <-time.After(3 * time.Minute):
				return "", fmt.Errorf("the machine still runs")
			}
			words, err := os.ReadFile(l.console())
			if err == nil && !strings.Contains(string(words), last) {
				err = fmt.Errorf("the kernel did not say %q", last)
			}
			return fmt.Sprintf("after %v: %s", time.Since(began).Round(time.Second), last), err
		}
	}
	back := func() (string, error) {
		if _, err := l.boot(); err != nil {
			return "", err
		}
		return l.served()
	}
	return l.all(steps{
		{"an owner shuts it down on the page", goes("shutdown", "reboot: Power down")},
		{"switched on by hand, it serves its page", back},
		{"an owner restarts it on the page", goes("reboot", "reboot: Restarting system")},
		{"and it serves its page again", back},
	})
}
