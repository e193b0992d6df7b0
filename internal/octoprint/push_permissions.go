package octoprint

import "strings"

// Permission is one of those that OctoPrint's groups are made of. Clients show what each is about, or look for its key.
type Permission struct {
	Key         string              `json:"key"`
	Name        string              `json:"name"`
	Dangerous   bool                `json:"dangerous"`
	Groups      []string            `json:"default_groups"`
	Description string              `json:"description"`
	Needs       map[string][]string `json:"needs"`
}

// permissions are all that OctoPrint's core knows. What of them somebody has follows from his role.
func permissions() []Permission {
	users, readers := []string{"users"}, []string{"users", "readonly"}
	admins := []string{"admins"}
	all := []Permission{
		{Key: "ADMIN", Name: "Admin", Dangerous: true, Groups: admins, Description: "May do everything."},
		{Key: "STATUS", Name: "Status", Groups: readers, Description: "May see what the printer does."},
		{Key: "CONNECTION", Name: "Connection", Groups: users, Description: "May connect and disconnect the printer."},
		{Key: "WEBCAM", Name: "Webcam", Groups: readers, Description: "May see the camera."},
		{Key: "SYSTEM", Name: "System", Dangerous: true, Groups: []string{}, Description: "May restart the system."},
		{Key: "FILES_LIST", Name: "File List", Groups: readers, Description: "May see what files there are."},
		{Key: "FILES_UPLOAD", Name: "File Upload", Groups: users, Description: "May upload files."},
		{Key: "FILES_DOWNLOAD", Name: "File Download", Groups: readers, Description: "May download files."},
		{Key: "FILES_DELETE", Name: "File Delete", Groups: users, Description: "May delete files."},
		{Key: "FILES_SELECT", Name: "File Select", Groups: users, Description: "May select a file to be printed."},
		{Key: "PRINT", Name: "Print", Groups: users, Description: "May start, pause and cancel prints."},
		{Key: "GCODE_VIEWER", Name: "GCODE viewer", Groups: readers, Description: "May see what a file prints."},
		{Key: "MONITOR_TERMINAL", Name: "Terminal", Groups: readers, Description: "May read the conversation with the printer."},
		{Key: "CONTROL", Name: "Control", Groups: users, Description: "May move and heat the printer."},
		{Key: "SLICE", Name: "Slice", Groups: users, Description: "May slice files."},
		{Key: "TIMELAPSE_LIST", Name: "Timelapse List", Groups: readers, Description: "May see what timelapses there are."},
		{Key: "TIMELAPSE_DOWNLOAD", Name: "Timelapse Download", Groups: readers, Description: "May download timelapses."},
		{Key: "TIMELAPSE_DELETE", Name: "Timelapse Delete", Groups: users, Description: "May delete timelapses."},
		{Key: "TIMELAPSE_MANAGE_UNRENDERED", Name: "Timelapse Manage Unrendered", Groups: users, Description: "May render timelapses."},
		{Key: "TIMELAPSE_ADMIN", Name: "Timelapse Admin", Groups: users, Description: "May change how prints are recorded."},
		{Key: "SETTINGS_READ", Name: "Settings Access", Groups: readers, Description: "May read settings."},
		{Key: "SETTINGS", Name: "Settings Admin", Dangerous: true, Groups: []string{}, Description: "May change settings."},
	}
	for i := range all {
		role := strings.ToLower(all[i].Key)
		if role == "gcode_viewer" {
			role = "gcodeviewer"
		}
		all[i].Needs = map[string][]string{"role": {role}}
	}
	return all
}
