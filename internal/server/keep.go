package server

import (
	"context"

	"layerd/camera"
	"layerd/printer"
)

// Keeper writes settings; *store.Store is one.
type Keeper interface {
	SetSetting(ctx context.Context, key string, v any) error
}

// KeepShelf writes the profiles where ReadCustom finds them. It is for while no Server runs: one that does has its own.
func KeepShelf(ctx context.Context, to Keeper, shelf printer.Shelf) error {
	return to.SetSetting(ctx, profilesKey, shelf)
}

// KeepScripts is KeepShelf for the scripts.
func KeepScripts(ctx context.Context, to Keeper, scripts printer.Scripts) error {
	return to.SetSetting(ctx, scriptsKey, scripts)
}

// KeepCameras is KeepShelf for the cameras, which ReadCameras reads.
func KeepCameras(ctx context.Context, to Keeper, setups []camera.Setup) error {
	return to.SetSetting(ctx, camerasKey, setups)
}
