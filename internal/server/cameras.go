package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"layerd/camera"
	"layerd/internal/latest"
)

// What flows here: a command → another list of cameras → taken over by the rig → kept in the store. What the rig refuses is not kept.

// Cameras is what the server asks of the cameras, by their IDs; *camera.Rig is one.
type Cameras interface {
	Status() *latest.Value[[]camera.Status] // in the order in which they are shown
	Frames(id int) *latest.Value[*camera.Frame]
	Look(id int) (done func())
	Controls(id int) []camera.Control
	Setups() []camera.Setup
	Set(ctx context.Context, setups []camera.Setup) error
	Devices() []camera.Device
}

// The settings' keys. "camera" is of before there were several; it is read once, and stays as it was.
const (
	camerasKey   = "cameras"
	oldCameraKey = "camera"
)

// ReadCameras reads the cameras that were kept. There is always one that was never set up: the first that is found.
func ReadCameras(ctx context.Context, settings Settings) ([]camera.Setup, error) {
	var setups []camera.Setup
	found, err := settings.Setting(ctx, camerasKey, &setups)
	if err != nil || found {
		return setups, err
	}
	one := camera.Setup{}
	_, err = settings.Setting(ctx, oldCameraKey, &one.Settings)
	return []camera.Setup{one}, err
}

// status is a camera's newest; Live is false when there is no such camera.
func (s *Server) cameraStatus(id int) camera.Status {
	all, _ := s.cfg.Cameras.Status().Get()
	if i := slices.IndexFunc(all, func(c camera.Status) bool { return c.ID == id }); i >= 0 {
		return all[i]
	}
	return camera.Status{}
}

// cameraOf is the camera that a request is about: the one named in id=, else the first.
func (s *Server) cameraOf(r *http.Request) (int, *latest.Value[*camera.Frame], error) {
	id := 0
	if all, _ := s.cfg.Cameras.Status().Get(); len(all) > 0 {
		id = all[0].ID
	}
	if text := cmp.Or(r.URL.Query().Get("id"), strings.TrimSuffix(r.PathValue("path"), "/")); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return 0, nil, badCommand("id must be the number of a camera.")
		}
		id = n
	}
	frames := s.cfg.Cameras.Frames(id)
	if frames == nil {
		return 0, nil, errNoCamera
	}
	return id, frames, nil
}

// doSetCamera changes a camera, or with the id -1 adds one.
func (s *Server) doSetCamera(ctx context.Context, c *call) (uint64, error) {
	if c.Camera == nil {
		return 0, badCommand("This command needs camera.")
	}
	return s.arrange(ctx, func(setups []camera.Setup) ([]camera.Setup, error) {
		want := *c.Camera
		i := slices.IndexFunc(setups, func(had camera.Setup) bool { return had.ID == want.ID })
		if i < 0 && want.ID != -1 {
			return nil, errNoCamera
		}
		var had camera.Setup
		if i >= 0 {
			had = setups[i]
			want.Settings = want.WithSecret(had.Settings)
			if want.Controls == nil {
				want.Controls = had.Controls
			}
			if err := s.cameraUnlocked(had, want); err != nil {
				return nil, err
			}
		}
		// A folder of recorded frames is for whoever writes the configuration: the page opens no folders.
		if want.Device != had.Device && camera.IsFolder(want.Device) {
			return nil, &refusal{code: "bad_camera", message: "A folder of frames can only be set in the configuration."}
		}
		if i >= 0 {
			setups[i] = want
			return setups, nil
		}
		for want.ID = 0; slices.ContainsFunc(setups, func(had camera.Setup) bool { return had.ID == want.ID }); want.ID++ {
		}
		return append(setups, want), nil
	})
}

// cameraUnlocked: the configuration is about the camera with the ID 0.
func (s *Server) cameraUnlocked(had, want camera.Setup) error {
	for key, changed := range map[string]bool{"camera.device": had.Device != want.Device, "camera.width": had.Width != want.Width,
		"camera.height": had.Height != want.Height, "camera.fps": had.FPS != want.FPS} {
		if want.ID == 0 && changed {
			if err := s.unlocked(key); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Server) doRemoveCamera(ctx context.Context, c *call) (uint64, error) {
	return s.arrange(ctx, func(setups []camera.Setup) ([]camera.Setup, error) {
		i, err := s.setupOf(setups, c)
		if err != nil {
			return nil, err
		}
		if setups[i].ID == 0 {
			if err := s.unlocked("camera.device"); err != nil {
				return nil, err
			}
		}
		return slices.Delete(setups, i, i+1), nil
	})
}

// doSetControl adjusts one control of a camera; without a value it is again as the camera has it by itself.
func (s *Server) doSetControl(ctx context.Context, c *call) (uint64, error) {
	return s.arrange(ctx, func(setups []camera.Setup) ([]camera.Setup, error) {
		i, err := s.setupOf(setups, c)
		if err != nil {
			return nil, err
		}
		controls := s.cfg.Cameras.Controls(setups[i].ID)
		k := slices.IndexFunc(controls, func(each camera.Control) bool { return each.ID == c.Name })
		if k < 0 {
			return nil, &refusal{code: "bad_camera", message: fmt.Sprintf("This camera has no control %.60q.", c.Name)}
		}
		wanted := maps.Clone(setups[i].Controls)
		if wanted == nil {
			wanted = map[string]int64{}
		}
		delete(wanted, c.Name)
		if c.Value != nil {
			value := int64(*c.Value)
			if float64(value) != *c.Value || value < controls[k].Min || value > controls[k].Max {
				return nil, &refusal{code: "bad_camera", message: fmt.Sprintf("%s must be %d to %d.", controls[k].Name, controls[k].Min, controls[k].Max)}
			}
			wanted[c.Name] = value
		}
		setups[i].Controls = wanted
		return setups, nil
	})
}

// setupOf is where the camera that a command names is in the list.
func (s *Server) setupOf(setups []camera.Setup, c *call) (int, error) {
	if c.CameraID == nil {
		return 0, badCommand("This command needs camera_id.")
	}
	i := slices.IndexFunc(setups, func(had camera.Setup) bool { return had.ID == *c.CameraID })
	if i < 0 {
		return 0, errNoCamera
	}
	return i, nil
}

// arrange makes one change of the list at a time.
func (s *Server) arrange(ctx context.Context, change func([]camera.Setup) ([]camera.Setup, error)) (uint64, error) {
	select {
	case s.arranging <- struct{}{}:
		defer func() { <-s.arranging }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	before := s.cfg.Cameras.Setups()
	setups, err := change(slices.Clone(before))
	if err != nil {
		return 0, err
	}
	if err := s.cfg.Cameras.Set(ctx, setups); err != nil {
		return 0, fmt.Errorf("set the cameras: %w", err)
	}
	if err := s.cfg.Files.SetSetting(ctx, camerasKey, setups); err != nil {
		back := s.cfg.Cameras.Set(context.WithoutCancel(ctx), before)
		return 0, errors.Join(fmt.Errorf("keep the cameras: %w", err), back)
	}
	return s.rev(), nil
}

// cameraSetups are the cameras as they are set up, fit to be shown to anybody who may look.
func (s *Server) cameraSetups() []CameraSetup {
	all := []CameraSetup{}
	for _, setup := range s.cfg.Cameras.Setups() {
		setup.Device = camera.Shown(setup.Device)
		if setup.Controls == nil {
			setup.Controls = map[string]int64{}
		}
		all = append(all, CameraSetup{Setup: setup, Adjustable: s.cfg.Cameras.Controls(setup.ID)})
	}
	return all
}
