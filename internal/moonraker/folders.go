package moonraker

import (
	"encoding/json"
	"net/http"
	"path"
	"strings"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/internal/store"
)

// What flows here: paths that begin with the root, "gcodes/parts/a.gcode" → what is in a folder, and what becomes of it.

// under is the path below the root; "" is the root itself.
func (in asked) under(key string) (string, error) {
	name, err := in.text(key)
	if err != nil {
		return "", err
	}
	first, rest, _ := strings.Cut(strings.Trim(name, "/"), "/")
	if first != root {
		return "", errRoot
	}
	if rest == "" {
		return "", nil
	}
	return server.CleanName(rest)
}

// below is a path below the root that is not the root.
func (in asked) below(key string) (string, error) {
	name, err := in.under(key)
	if err == nil && name == "" {
		err = server.Refuse("bad_form", "The root itself stays as it is.")
	}
	return name, err
}

// is tells whether an argument is true, which an address says as text.
func (in asked) is(key string) bool {
	text := strings.Trim(string(in[key]), `"`)
	return strings.EqualFold(text, "true") || text == "1"
}

// number is an argument that may be absent, and is no less than 0.
func (in asked) number(key string) (n float64, err error) {
	text := in[key]
	if len(text) == 0 || string(text) == "null" {
		return 0, nil
	}
	if json.Unmarshal([]byte(strings.Trim(string(text), `"`)), &n) != nil || n < 0 || n > 1e12 {
		return 0, server.Refuse("bad_form", "The argument "+key+" is no number that could be meant.")
	}
	return n, nil
}

// Entry is a file or a folder in a folder. Of a file that was asked for with all that is known, that is there as well.
type Entry struct {
	Dirname     string  `json:"dirname,omitempty"`
	Modified    float64 `json:"modified"`
	Size        int64   `json:"size"`
	Permissions string  `json:"permissions"`
	*Metadata
	Filename string `json:"filename,omitempty"` // below its folder; a name in Metadata is below the root
}

// folder lists what is in one.
func (a *API) folder(c call) (any, error) {
	if c.in["path"] == nil {
		c.in["path"] = json.RawMessage(`"` + root + `"`)
	}
	at, err := c.in.under("path")
	if err != nil {
		return nil, err
	}
	if at != "" {
		f, err := a.s.Config().Files.Stat(c.r.Context(), at)
		if err == nil && !f.Folder {
			err = store.ErrNotFound
		}
		if err != nil {
			return nil, err
		}
	}
	all, err := a.s.Config().Files.Files(c.r.Context())
	if err != nil {
		return nil, err
	}
	dirs, files := []Entry{}, []Entry{}
	for _, f := range all {
		if dir := path.Dir(f.Path); dir != at && (at != "" || dir != ".") {
			continue
		}
		e := Entry{Modified: float64(f.ModifiedMS) / 1000, Size: f.Bytes, Permissions: permissions(c.me)}
		if f.Folder {
			e.Dirname = f.Name
			dirs = append(dirs, e)
			continue
		}
		if e.Filename = f.Name; c.in.is("extended") {
			m := a.known(c, f)
			e.Metadata = &m
		}
		files = append(files, e)
	}
	free, total, err := a.s.Config().Files.Disk()
	if err != nil {
		return nil, err
	}
	return object{"dirs": dirs, "files": files, "disk_usage": object{"total": total, "used": total - free, "free": free},
		"root_info": object{"name": root, "permissions": permissions(c.me)}}, nil
}

func (a *API) makeFolder(c call) (any, error) {
	name, err := c.in.below("path")
	if err == nil {
		err = a.s.Try(c.r.Context(), c.me, server.Command{Do: "make_folder", File: name})
	}
	if err != nil {
		return nil, err
	}
	return a.became(c, "create_dir", name)
}

// removeFolder deletes one that is empty, or with force whatever is in it.
func (a *API) removeFolder(c call) (any, error) {
	name, err := c.in.below("path")
	if err != nil {
		return nil, err
	}
	f, err := a.s.Config().Files.Stat(c.r.Context(), name)
	switch {
	case err != nil:
	case !f.Folder:
		err = store.ErrNotFound
	case c.in.is("force"):
		err = a.s.RemoveAll(c.r.Context(), c.me, name)
	default:
		err = a.s.Try(c.r.Context(), c.me, server.Command{Do: "delete_file", File: name})
	}
	if err != nil {
		return nil, err
	}
	return object{"item": object{"path": name, "root": root}, "action": "delete_dir"}, nil
}

// places are where something is, and where it is to be: there, or in the folder that is there.
func (a *API) places(c call) (f store.File, to string, err error) {
	from, err := c.in.below("source")
	if err != nil {
		return f, "", err
	}
	if to, err = c.in.under("dest"); err != nil {
		return f, "", err
	}
	files := a.s.Config().Files
	if f, err = files.Stat(c.r.Context(), from); err != nil {
		return f, "", err
	}
	if at, err := files.Stat(c.r.Context(), to); to == "" || err == nil && at.Folder && to != from {
		to = path.Join(to, f.Name)
	}
	if !f.Folder {
		err = store.Printable(to)
	}
	return f, to, err
}

func (a *API) move(c call) (any, error) {
	f, to, err := a.places(c)
	if err == nil {
		err = a.s.Try(c.r.Context(), c.me, server.Command{Do: "rename_file", File: f.Path, To: to})
	}
	if err != nil {
		return nil, err
	}
	done, err := a.became(c, map[bool]string{false: "move_file", true: "move_dir"}[f.Folder], to)
	if err == nil {
		done["source_item"] = object{"path": f.Path, "root": root}
	}
	return done, err
}

func (a *API) copy(c call) (any, error) {
	f, to, err := a.places(c)
	if err == nil && f.Folder {
		err = server.Refuse("bad_form", "Folders are not copied. Copy the files in it.")
	}
	if err == nil {
		_, err = a.s.CopyFile(c.r.Context(), c.me, f.Path, to)
	}
	if err != nil {
		return nil, err
	}
	return a.became(c, "create_file", to)
}

// became says what something is now.
func (a *API) became(c call, action, name string) (object, error) {
	f, err := a.s.Config().Files.Stat(c.r.Context(), name)
	if err != nil {
		return nil, err
	}
	item := itemOf(f, c.me)
	item.Root = root
	return object{"item": item, "action": action}, nil
}

// content answers with a file of the root, or with a picture of one. A file takes an operator: it is the design.
func (a *API) content(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	name := r.PathValue("path")
	if strings.HasPrefix(name, thumbs+"/") || strings.Contains(name, "/"+thumbs+"/") {
		return a.thumbnail(w, r, me)
	}
	if me.Role < access.Operator {
		return server.Refuse("role_too_low", "This needs the role of operator.")
	}
	return a.s.ServeFile(w, r, name)
}
