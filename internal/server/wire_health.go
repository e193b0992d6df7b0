package server

import "layerd/internal/health"

// HostState is what every page knows of the machine that layerd runs on. How the link to the printer does is Snapshot.Health.
type HostState struct {
	Level health.Level `json:"level"` // "ok", "warn", "bad"; "unknown" while nobody has looked
	AtMS  int64        `json:"at_ms"` // when it was looked at; 0 never. GET /v1/health changes with it
	ID    string       `json:"id"`    // of the worst check, where something is wrong; else ""
	Name  string       `json:"name"`
	Found string       `json:"found"` // and what follows: for operators
	Do    string       `json:"do"`
}

// MachineHealth is the answer of GET /v1/health: all that was found, the worst first.
type MachineHealth struct {
	*health.Report
}
