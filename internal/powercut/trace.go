package powercut

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Op is one system call that changed files, or waited for the disk, or said something on standard output. A call that failed is none.
type Op struct {
	At     time.Time // when it began
	Call   string    // "openat", "write", "pwrite64", "ftruncate", "lseek", "mkdirat", "renameat", "unlinkat", "fsync", "fdatasync"
	FD     int       // that the call is about, or gave
	Path   string    // absolute; of the descriptor, or the name
	To     string    // of "renameat"
	Flags  string    // of "openat"
	Offset int64     // of "pwrite64" and "lseek" (where it ended up), the length of "ftruncate"
	Bytes  int64     // that were written
	Data   []byte    // of these, as many as were recorded
}

// calls are all by which the programs that are recorded change files. What else there is (fallocate, links, copy_file_range) ends the reading with an error, so
// that nothing is left out unseen. What is written by mapped memory is not seen: of SQLite that is the -shm file, which is made anew after a power cut.
const (
	calls   = "openat,open,write,pwrite64,ftruncate,lseek,mkdirat,mkdir,renameat,renameat2,rename,unlinkat,unlink,rmdir,fsync,fdatasync"
	unknown = "writev,pwritev,pwritev2,truncate,fallocate,copy_file_range,sendfile,link,linkat,symlink,symlinkat,creat,msync,sync_file_range,sync,syncfs"
)

// Strace returns cmd, run under strace, which writes into the file out; of what is written it keeps so many bytes a call. strace follows all threads and
// children. It is not started yet. Names must be absolute where the program uses none of the calls that take a folder's descriptor.
func Strace(ctx context.Context, cmd *exec.Cmd, out string, keep int) *exec.Cmd {
	args := []string{"-f", "-y", "-xx", "-s", strconv.Itoa(keep), "--seccomp-bpf", "-qq", "-ttt", "-e", "signal=none", "-e", "trace=" + calls + "," + unknown, "-o", out, "--"}
	under := exec.CommandContext(ctx, "strace", append(append(args, cmd.Path), cmd.Args[1:]...)...)
	under.Env, under.Dir, under.Stdin, under.Stdout, under.Stderr = cmd.Env, cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr
	return under
}

// ReadTrace reads what strace has written and calls each for what changed something below dir, or was written to standard output, in the order in which the calls
// ended.
func ReadTrace(name, dir string, each func(Op) error) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("read what strace saw: %w", err)
	}
	defer f.Close()
	begun := map[string]string{} // by thread: what was said of a call that has not ended
	lines := bufio.NewReaderSize(f, 1<<20)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read what strace saw: %w", err)
		}
		thread, said, _ := strings.Cut(strings.TrimSpace(line), " ")
		when, said, _ := strings.Cut(strings.TrimSpace(said), " ")
		seconds, err := strconv.ParseFloat(when, 64)
		if err != nil {
			return fmt.Errorf("what strace said: %w", err)
		}
		if first, unfinished := strings.CutSuffix(said, "<unfinished ...>"); unfinished {
			begun[thread] = strings.TrimSpace(first)
			continue
		}
		if rest, ok := strings.CutPrefix(said, "<... "); ok {
			_, rest, _ = strings.Cut(rest, "resumed>")
			said = begun[thread] + rest
			delete(begun, thread)
		}
		op, ok, err := parseCall(said, dir)
		if err == nil && ok {
			op.At = time.UnixMicro(int64(seconds * 1e6))
			err = each(op)
		}
		if err != nil {
			return err
		}
	}
}

var call = regexp.MustCompile(`^(\w+)\((.*)\)\s+= (-?\d+)`)

// parseCall reads one line of strace; false where it is about nothing below dir.
func parseCall(said, dir string) (op Op, ok bool, err error) {
	m := call.FindStringSubmatch(said)
	if m == nil || strings.HasPrefix(m[3], "-") {
		return op, false, nil // it has not ended, or failed
	}
	result, err := strconv.ParseInt(m[3], 10, 64)
	if err != nil {
		return op, false, fmt.Errorf("what strace said: %w", err)
	}
	args := strings.Split(m[2], ", ") // strings are all in hex, so no comma is in one
	op.Call = m[1]
	var first string
	op.FD, first = descriptor(args[0])
	op.Path = first
	arg := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	number := func(i int) int64 {
		n, bad := strconv.ParseInt(arg(i), 10, 64)
		err = errors.Join(err, bad)
		return n
	}
	switch op.Call {
	case "open":
		op.Call, op.Path, op.Flags, op.FD = "openat", string(unhex(arg(0))), arg(1), int(result)
	case "openat":
		op.Path, op.Flags, op.FD = at(first, arg(1)), arg(2), int(result)
	case "write":
		op.Data, op.Bytes = unhex(arg(1)), result
	case "pwrite64":
		op.Data, op.Bytes, op.Offset = unhex(arg(1)), result, number(3)
	case "ftruncate":
		op.Offset = number(1)
	case "lseek":
		op.Offset = result
	case "mkdir", "unlink", "rmdir":
		op.Call, op.Path = op.Call+"at", string(unhex(arg(0)))
	case "mkdirat", "unlinkat":
		op.Path = at(first, arg(1))
	case "rename":
		op.Call, op.Path, op.To = "renameat", string(unhex(arg(0))), string(unhex(arg(1)))
	case "renameat", "renameat2":
		_, second := descriptor(arg(2))
		op.Call, op.Path, op.To = "renameat", at(first, arg(1)), at(second, arg(3))
	case "fsync", "fdatasync":
	default:
		if strings.HasPrefix(first, dir) {
			return op, false, fmt.Errorf("what strace saw: %s is not known here", said[:min(len(said), 200)])
		}
	}
	if err != nil {
		return op, false, fmt.Errorf("what strace said, %s: %w", said[:min(len(said), 200)], err)
	}
	if op.Call == "rmdirat" {
		op.Call = "unlinkat"
	}
	ours := op.Path == dir || strings.HasPrefix(op.Path, dir+"/")
	return op, ours || op.Call == "write" && op.FD == 1, nil
}

// descriptor reads 7<path>, where path is in hex, or AT_FDCWD<path>.
func descriptor(arg string) (int, string) {
	number, rest, _ := strings.Cut(arg, "<")
	fd, err := strconv.Atoi(number)
	if err != nil {
		fd = -1
	}
	return fd, string(unhex(`"` + strings.TrimSuffix(rest, ">") + `"`))
}

// at is a name in a folder, as the kernel takes it.
func at(dir, quoted string) string {
	name := string(unhex(quoted))
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(dir, name)
}

// unhex reads "\x01\x02"..., and what is not in hex as it is.
func unhex(quoted string) []byte {
	quoted = strings.TrimSuffix(quoted, "...")
	quoted = strings.Trim(quoted, `"`)
	out := make([]byte, 0, len(quoted)/4)
	for i := 0; i < len(quoted); {
		if strings.HasPrefix(quoted[i:], `\x`) && i+4 <= len(quoted) {
			if b, err := strconv.ParseUint(quoted[i+2:i+4], 16, 8); err == nil {
				out, i = append(out, byte(b)), i+4
				continue
			}
		}
		out, i = append(out, quoted[i]), i+1
	}
	return out
}
