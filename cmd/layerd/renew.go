package main

import (
	"log/slog"
	"os"
	"path/filepath"

	"layerd/internal/renew"
	"layerd/printer"
)

// renewer lets a new version take over when nothing prints. Only systemd is known to start layerd again when it ends.
func renewer(snapshots *printer.Snapshots, besides func() string, log *slog.Logger) (*renew.Renewer, error) {
	replaced, err := renew.Itself()
	if err != nil {
		return nil, err
	}
	return renew.New(renew.Config{Snapshots: snapshots, Dir: runtimeDir(), Besides: besides, Again: os.Getenv("INVOCATION_ID") != "" && os.Getenv("NOTIFY_SOCKET") != "", Replaced: replaced, Log: log}), nil
}

// runtimeDir is where layerd and the rest of the machine leave each other files; "" when systemd has made none.
func runtimeDir() string {
	if all := filepath.SplitList(os.Getenv("RUNTIME_DIRECTORY")); len(all) > 0 {
		return all[0]
	}
	return ""
}
