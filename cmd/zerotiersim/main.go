// Command zerotiersim is a pretend zerotier-one on a loopback port, for work on the page where there is none; package zerotiertest is what it is made of.
//
//	zerotiersim --token /tmp/zt/authtoken.secret
//
// It writes the token, and its port beside it in zerotier-one.port as the real one does, and prints its address when it answers. Words on
// standard input are what happens to it: authorise, deny, gone (there is no such network), silent, login URL, offline, online, relayed, restart.
// It ends with its input.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"layerd/internal/zerotier/zerotiertest"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil && !errors.Is(err, pflag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "zerotiersim:", err)
		os.Exit(1)
	}
}

// run is the whole program: it returns when in ends, or when something failed.
func run(args []string, in io.Reader, out io.Writer) error {
	flags := pflag.NewFlagSet("zerotiersim", pflag.ContinueOnError)
	file := flags.String("token", "", "file that the token is written to (required)")
	port := flags.Uint16("port", 0, "on 127.0.0.1; 0 = any")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *file == "" || flags.NArg() > 0 {
		return errors.New("want --token FILE and nothing else but --port")
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(int(*port)))
	if err != nil {
		return err
	}
	const token = "pretend000000000000000to"
	_, at, err := net.SplitHostPort(l.Addr().String())
	if err = errors.Join(err, os.WriteFile(*file, []byte(token), 0o600), os.WriteFile(filepath.Join(filepath.Dir(*file), "zerotier-one.port"), []byte(at), 0o600)); err != nil {
		l.Close()
		return err
	}
	service := zerotiertest.New(token)
	server := &http.Server{Handler: service, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	fmt.Fprintln(out, "http://"+l.Addr().String())
	for words := bufio.NewScanner(in); words.Scan(); {
		if err := happen(service, strings.Fields(words.Text())); err != nil {
			fmt.Fprintln(out, err)
		}
	}
	err = server.Close()
	if e := <-ended; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// happen does what the words of a line say.
func happen(s *zerotiertest.Service, words []string) error {
	if len(words) == 0 {
		return nil
	}
	switch words[0] {
	case "authorise":
		s.Say("OK")
	case "deny":
		s.Say("ACCESS_DENIED")
	case "gone":
		s.Say("NOT_FOUND")
	case "silent":
		s.Say("")
	case "login":
		s.Login(strings.Join(words[1:], ""))
	case "offline":
		s.Online(false, false)
	case "online":
		s.Online(true, false)
	case "relayed":
		s.Online(true, true)
	case "restart":
		s.Restart()
	default:
		return fmt.Errorf("%q means nothing to it", words[0])
	}
	return nil
}
