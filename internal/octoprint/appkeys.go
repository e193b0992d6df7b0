package octoprint

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"layerd/internal/access"
	"layerd/internal/server"
)

// OctoPrint's application keys: a program asks, a person answers on layerd's page, and the program finds its key when it looks again.

const maxAppBody = 4 << 10 // bytes

func (a *API) appRoutes() []server.Route {
	return []server.Route{
		{Method: "GET", Path: "/plugin/appkeys/probe", Least: access.Nobody, Apps: true, Serve: a.appProbe},
		{Method: "POST", Path: "/plugin/appkeys/request", Least: access.Nobody, Apps: true, Serve: a.appRequest},
		{Method: "GET", Path: "/plugin/appkeys/request/*", Least: access.Nobody, Apps: true, Serve: a.appKey},
		{Method: "GET", Path: "/api/plugin/appkeys", Least: access.Owner, Serve: a.appKeys},
	}
}

// appProbe says that programs may ask.
func (a *API) appProbe(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// AppAsked is the answer to a program's request.
type AppAsked struct {
	AppToken   string `json:"app_token"`
	AuthDialog string `json:"auth_dialog"` // where a person can answer, if the program wants to open it
}

// appRequest takes {"app": "…"}. The name of a user, which OctoPrint takes as well, says whose key it is to be; here any owner answers.
func (a *API) appRequest(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	body, err := server.ReadSmall(w, r, maxAppBody)
	if err != nil {
		return err
	}
	var asked struct {
		App string `json:"app"`
	}
	if json.Unmarshal(body, &asked) != nil {
		return server.Refuse("bad_message", "This is no JSON.")
	}
	token, err := a.s.AskForKey(r, asked.App)
	if err != nil {
		return err
	}
	here := a.s.Base(r)
	w.Header().Set("Location", here+"/plugin/appkeys/request/"+url.PathEscape(token))
	a.s.WriteJSON(w, http.StatusCreated, AppAsked{AppToken: token, AuthDialog: here + "/"})
	return nil
}

// appKey answers 202 until a person has, then once with the key, and 404 else.
func (a *API) appKey(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	key, err := a.s.KeyFor(r.PathValue("path"))
	switch {
	case errors.Is(err, server.ErrAppWaiting):
		a.s.WriteJSON(w, http.StatusAccepted, map[string]string{"message": "Awaiting decision"})
		return nil
	case err != nil:
		return err
	}
	a.s.WriteJSON(w, http.StatusOK, map[string]string{"api_key": key})
	return nil
}

// AppPending is a program that waits for a key. Nobody in particular is asked: any owner may answer.
type AppPending struct {
	AppID     string  `json:"app_id"`
	UserID    *string `json:"user_id"`
	UserToken string  `json:"user_token"` // names the request on layerd's own API
	From      string  `json:"remote_address"`
}

// appKeys are all keys, without what is secret, and the programs that wait for one. They are given and taken back on layerd's page.
func (a *API) appKeys(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	tokens, err := a.s.Config().People.Tokens(r.Context())
	if err != nil {
		return err
	}
	keys, pending := []map[string]string{}, map[string]AppPending{}
	for _, t := range tokens {
		keys = append(keys, map[string]string{"app_id": t.Name, "user_id": me.Name})
	}
	slices.SortFunc(keys, func(a, b map[string]string) int { return strings.Compare(a["app_id"], b["app_id"]) })
	for _, q := range a.s.Asking(me) {
		pending[q.ID] = AppPending{AppID: q.App, UserToken: q.ID, From: q.From}
	}
	return a.say(w, map[string]any{"keys": keys, "pending": pending})
}
