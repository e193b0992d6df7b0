package overlay

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// fake is a network that runs until it is told to end.
type fake struct {
	Network
	fail chan error
	runs *int
}

func (f *fake) Run(ctx context.Context) error {
	*f.runs++
	select {
	case err := <-f.fail:
		return err
	case <-ctx.Done():
		return nil
	}
}

func (f *fake) Login(context.Context, string) error { return nil }

var aNetwork = Settings{Kind: ZeroTier, ZeroTier: ZeroTierSettings{Network: " 8056C2E21C000001"}}

func TestSwitch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs, reports, secrets := 0, []func(Status){}, []string{}
		f := &fake{fail: make(chan error), runs: &runs}
		w := NewSwitch(Settings{}, "", map[Kind]Make{Tailnet: func(s Settings, secret string, report func(Status)) (Network, error) {
			reports, secrets = append(reports, report), append(secrets, secret)
			return f, nil
		}}, nil)
		ctx, end := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		state := func(want State) {
			t.Helper()
			synctest.Wait()
			if got, _ := w.Statuses().Get(); got.State != want {
				t.Fatalf("got %+v, want the state %s", got, want)
			}
		}
		state(Off)
		if err := w.Login(ctx, ""); !errors.Is(err, ErrNotHere) {
			t.Errorf("log in to no network: got %v, want ErrNotHere", err)
		}
		if err := w.Set(Settings{Kind: Tailnet}, "key"); err != nil {
			t.Fatal(err)
		}
		state(Starting)
		if err := w.Login(ctx, ""); err != nil {
			t.Error(err)
		}
		if _, waiting := w.Settings(); !waiting {
			t.Error("the key was forgotten before the network ran")
		}
		reports[0](Status{State: Running})
		state(Running)
		if got, _ := w.Statuses().Get(); got.Kind != Tailnet {
			t.Errorf("got the kind %s", got.Kind)
		}
		f.fail <- errors.New("the service is gone")
		state(Failed)
		if got, _ := w.Statuses().Get(); !strings.Contains(got.Problem, "the service is gone") {
			t.Errorf("got %q, want the reason", got.Problem)
		}
		time.Sleep(retryAfter)
		state(Starting)
		if !slices.Equal(secrets, []string{"key", ""}) {
			t.Errorf("the networks were made with the keys %q, want it once", secrets)
		}
		w.Set(Settings{}, "")
		state(Off)
		reports[1](Status{State: Running})
		state(Off) // a network that was replaced is not heard
		if runs != 2 {
			t.Errorf("got %d runs, want 2", runs)
		}
		end()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// slow is a network that takes its time to end.
type slow struct {
	Network
	ends chan struct{}
}

func (s slow) Run(ctx context.Context) error {
	<-ctx.Done()
	<-s.ends
	return nil
}

func TestTheNextNetworkWaitsForTheEndOfTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ends := make(chan struct{})
		names := []string{}
		w := NewSwitch(Settings{Kind: Tailnet}, "", map[Kind]Make{Tailnet: func(s Settings, _ string, report func(Status)) (Network, error) {
			names = append(names, s.Tailnet.Name)
			report(Status{State: Running})
			return slow{ends: ends}, nil
		}}, nil)
		ctx, end := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.Run(ctx) }()
		synctest.Wait()
		for _, name := range []string{"two", "three"} {
			if err := w.Set(Settings{Kind: Tailnet, Tailnet: TailnetSettings{Name: name}}, ""); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if got, _ := w.Statuses().Get(); len(names) != 1 || got.State != Starting {
			t.Errorf("made %q and shows %+v, want that the next one waits and is announced", names, got)
		}
		if _, err := w.Neighbours(ctx); !errors.Is(err, ErrNotHere) {
			t.Errorf("got %v, want that nobody waits for a network that ends", err)
		}
		ends <- struct{}{}
		synctest.Wait()
		if got, _ := w.Statuses().Get(); !slices.Equal(names, []string{"", "three"}) || got.State != Running {
			t.Errorf("made %q and shows %+v, want the newest settings to run", names, got)
		}
		began := time.Now()
		end()
		if err := <-done; err != nil || time.Since(began) != endTime {
			t.Errorf("got %v after %v, want that the daemon's end waits %v and no more", err, time.Since(began), endTime)
		}
		close(ends)
	})
}

func TestKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs, reports, secrets := 0, []func(Status){}, []string{}
		w := NewSwitch(Settings{}, "configured", map[Kind]Make{Tailnet: func(s Settings, secret string, report func(Status)) (Network, error) {
			reports, secrets = append(reports, report), append(secrets, secret)
			return &fake{fail: make(chan error), runs: &runs}, nil
		}}, nil)
		ctx, end := context.WithCancel(t.Context())
		defer end()
		go w.Run(ctx)
		synctest.Wait()
		set := func(role, name, secret string) {
			t.Helper()
			if err := w.Set(Settings{Kind: Tailnet, Tailnet: TailnetSettings{Name: name, DefaultRole: role}}, secret); err != nil {
				t.Fatal(err)
			}
		}
		waits := func(want bool, why string) {
			t.Helper()
			if _, waiting := w.Settings(); waiting != want {
				t.Errorf("%s: a key waits: got %v", why, waiting)
			}
		}
		set("", "voron", "") // turned on without another key
		synctest.Wait()
		set("nobody", "voron", "")
		synctest.Wait()
		if got, _ := w.Settings(); got.Tailnet.DefaultRole != "nobody" || runs != 1 {
			t.Errorf("got %+v after %d runs, want another role and the network left alone", got, runs)
		}
		w.mu.Lock()
		w.settings.Tailnet.Name = "mk4" // and Run has not seen it yet
		w.secret = "second"
		w.mu.Unlock()
		reports[0](Status{State: Running})
		waits(true, "the first network forgets its own")
		set("nobody", "mk4", "third")
		synctest.Wait()
		reports[1](Status{State: Starting})
		waits(true, "not let in yet")
		reports[1](Status{State: Login, LoginURL: "https://login.example.com/a/1"})
		waits(false, "refused")
		if want := []string{"configured", "third"}; !slices.Equal(secrets, want) {
			t.Errorf("the networks were made with %q, want %q", secrets, want)
		}
	})
}

func TestSettingsThatCannotBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewSwitch(Settings{Kind: ZeroTier}, "", nil, nil)
		ctx, end := context.WithCancel(t.Context())
		defer end()
		go w.Run(ctx)
		synctest.Wait()
		if got, _ := w.Statuses().Get(); got.State != Failed || !strings.Contains(got.Problem, "are wrong: a ZeroTier network has 16") || got.Next == "" {
			t.Errorf("got %+v, want what is wrong", got)
		}
		if err := w.Set(Settings{}, ""); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got, _ := w.Statuses().Get(); got.State != Off {
			t.Errorf("got %+v, want it off", got)
		}
	})
}

func TestANetworkThatWasNotBuiltIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewSwitch(Settings{Kind: Tailnet}, "", nil, nil)
		ctx, end := context.WithCancel(t.Context())
		defer end()
		go w.Run(ctx)
		synctest.Wait()
		if got, _ := w.Statuses().Get(); got.State != Failed || got.Problem == "" {
			t.Errorf("got %+v, want a failure with its reason", got)
		}
	})
}

func TestSettings(t *testing.T) {
	tailnet := func(change func(*TailnetSettings)) Settings {
		s := Settings{Kind: Tailnet}
		change(&s.Tailnet)
		return s
	}
	for _, c := range []struct {
		name string
		s    Settings
		ok   bool
	}{
		{"nothing", Settings{}, true},
		{"a network", aNetwork, true},
		{"no network", Settings{Kind: ZeroTier}, false},
		{"half a network", Settings{Kind: ZeroTier, ZeroTier: ZeroTierSettings{Network: "8056c2e2"}}, false},
		{"another kind", Settings{Kind: "hamachi"}, false},
		{"tailnet", tailnet(func(s *TailnetSettings) {}), true},
		{"name in capitals", tailnet(func(s *TailnetSettings) { s.Name = "Voron" }), true},
		{"name with a dot", tailnet(func(s *TailnetSettings) { s.Name = "a.b" }), false},
		{"name that ends in -", tailnet(func(s *TailnetSettings) { s.Name = "a-" }), false},
		{"headscale", tailnet(func(s *TailnetSettings) { s.ControlURL = "https://hs.example.com:8443/" }), true},
		{"a path in disguise", tailnet(func(s *TailnetSettings) { s.ControlURL = "file:///etc/passwd" }), false},
		{"a password in the address", tailnet(func(s *TailnetSettings) { s.ControlURL = "https://a:b@hs.example.com" }), false},
		{"tags", tailnet(func(s *TailnetSettings) { s.Tags = []string{"tag:printer"} }), true},
		{"no tags", tailnet(func(s *TailnetSettings) { s.Tags = []string{"printer"} }), false},
		{"too many", tailnet(func(s *TailnetSettings) { s.Tags = slices.Repeat([]string{"tag:a"}, maxTags+1) }), false},
		{"nobody gets in", tailnet(func(s *TailnetSettings) { s.DefaultRole = "nobody" }), true},
		{"everybody owns it", tailnet(func(s *TailnetSettings) { s.DefaultRole = "owner" }), false},
	} {
		err := c.s.Tidy().Validate()
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrSettings) {
			t.Errorf("%s: got %v, want ok = %v", c.name, err, c.ok)
		}
	}
}
