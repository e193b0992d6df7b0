package main

import (
	"log/slog"
	"os"
	"path/filepath"

	"layerd/internal/renew"
	"layerd/printer"
)

// renewer lets a new version take over when nothing prints. Only systemd is known to start layerd again when it ends.
func renewer(snapshots *printer.Snapshots, log *slog.Logger) (*renew.Renewer, error) {
	replaced, err := renew.Itself()
	if err != nil {
		return nil, err
	}
	var dir string
	if all := filepath.SplitList(os.Getenv("RUNTIME_DIRECTORY")); len(all) > 0 {
		dir = all[0]
	}
	return renew.New(renew.Config{Snapshots: snapshots, Dir: dir, Again: os.Getenv("INVOCATION_ID") != "" && os.Getenv("NOTIFY_SOCKET") != "", Replaced: replaced, Log: log}), nil
}
