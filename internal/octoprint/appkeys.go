package octoprint

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

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
