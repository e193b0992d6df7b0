package server

import (
	"context"
	"encoding/json"
	"strings"

	"layerd/internal/store"
)

// answering makes the fake printer answer queries: line → what the firmware says, lines separated by \n.
func (p *fakePrinter) answering(answers map[string]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = answers
}

func (p *fakePrinter) query(ctx context.Context, how, line string) ([]string, error) {
	if _, err := p.call(ctx, how, line); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	said, ok := p.answers[line]
	if !ok {
		return nil, nil
	}
	return strings.Split(said, "\n"), nil
}

func (p *fakePrinter) Query(ctx context.Context, line string) ([]string, error) {
	return p.query(ctx, "query", line)
}
func (p *fakePrinter) QueryIdle(ctx context.Context, line string) ([]string, error) {
	return p.query(ctx, "idle", line)
}
func (p *fakePrinter) QueryHomed(ctx context.Context, line string) ([]string, error) {
	return p.query(ctx, "homed", line)
}
func (p *fakePrinter) Babystep(ctx context.Context, byMM float64) (uint64, error) {
	return p.call(ctx, "babystep", byMM)
}
func (p *fakePrinter) SaveBabystep(ctx context.Context) (uint64, error) {
	return p.call(ctx, "save_babystep")
}
func (p *fakePrinter) SetPressureAdvance(ctx context.Context, tool int, factor float64) (uint64, error) {
	return p.call(ctx, "set_advance", tool, factor)
}
func (p *fakePrinter) SetAcceleration(ctx context.Context, mmS2 float64) (uint64, error) {
	return p.call(ctx, "set_acceleration", mmS2)
}
func (p *fakePrinter) ReadTuning(ctx context.Context) (uint64, error) {
	return p.call(ctx, "read_tuning")
}

func (f *fakeFiles) Setting(_ context.Context, key string, v any) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	kept, ok := f.settings[key]
	if !ok {
		return false, nil
	}
	text, err := json.Marshal(kept)
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	return true, err
}

func (f *fakeFiles) KeepSettings(_ context.Context, c store.SettingsCopy) (store.SettingsCopy, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.ID = int64(len(f.copies) + 1)
	f.copies = append(f.copies, c)
	return c, nil
}

func (f *fakeFiles) SettingsCopies(context.Context) ([]store.SettingsCopy, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []store.SettingsCopy
	for _, c := range f.copies {
		all = append([]store.SettingsCopy{c}, all...)
	}
	return all, nil
}

func (f *fakeFiles) SettingsCopy(_ context.Context, id int64) (store.SettingsCopy, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.copies {
		if c.ID == id {
			return c, nil
		}
	}
	return store.SettingsCopy{}, store.ErrNoCopy
}

func (f *fakeFiles) DropSettingsCopy(ctx context.Context, id int64) error {
	if _, err := f.SettingsCopy(ctx, id); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, c := range f.copies {
		if c.ID == id {
			f.copies = append(f.copies[:i], f.copies[i+1:]...)
			return nil
		}
	}
	return store.ErrNoCopy
}
