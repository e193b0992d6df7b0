package access

import (
	"context"
	"crypto/hmac"
	"crypto/md5" // what the scheme says; it guards a password of 120 random bits
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Clients of PrusaLink log in by HTTP Digest (RFC 7616), for which the server must know the password itself, and we keep no secret but as a hash. So each key
// has a second secret, made of its ID and of what seals tickets: user = the key's ID, password = DigestPassword. It may what the key may, for as long.

const (
	digestRealm = "layerd"
	digestGood  = 10 * time.Minute // a nonce, from its making
)

// ErrStale is returned when a Digest was made with a nonce that is too old: the client does it again with a new one, and asks nobody.
var ErrStale = fmt.Errorf("%w: the nonce is too old", ErrDenied)

// DigestPassword is the password of the key with this ID, for the user of that name.
func (g *Gate) DigestPassword(id string) string {
	return strings.ToLower(base32.StdEncoding.EncodeToString(g.sealed("digest", id)[:15]))
}

// sealed is the HMAC-SHA256 of text for one purpose.
func (g *Gate) sealed(purpose, text string) []byte {
	mac := hmac.New(sha256.New, g.cfg.ViewSecret)
	mac.Write([]byte(purpose + " " + text)) // never fails
	return mac.Sum(nil)
}

// DigestChallenge is the WWW-Authenticate of an answer 401.
func (g *Gate) DigestChallenge(stale bool) string {
	made := binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()))
	nonce := base64.RawURLEncoding.EncodeToString(append(made, g.sealed("nonce", string(made))[:16]...))
	challenge := fmt.Sprintf(`Digest realm="%s", qop="auth", algorithm=MD5, nonce="%s"`, digestRealm, nonce)
	if stale {
		challenge += ", stale=true"
	}
	return challenge
}

// ShowsDigest reports whether a request carries a Digest.
func ShowsDigest(r *http.Request) bool {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Digest")
}

// IdentifyDigest is Identify of who shows a Digest. ErrStale is the error when it is right but too old.
func (g *Gate) IdentifyDigest(r *http.Request) (Identity, error) {
	_, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	d := parseDigest(text)
	secret := ""
	if g.proves(r, d) { // the Digest itself is another one each time, and would not be known again
		secret = "digest " + d["username"] + " " + g.DigestPassword(d["username"])
	}
	return g.counted(r, secret, func(ctx context.Context, _ hash) (Identity, error) { return g.byDigest(ctx, d) })
}

// proves reports whether d was made for this request by who knows the password.
func (g *Gate) proves(r *http.Request, d map[string]string) bool {
	if d["uri"] != r.RequestURI || d["realm"] != digestRealm || d["algorithm"] != "" && !strings.EqualFold(d["algorithm"], "MD5") || d["qop"] != "" && d["qop"] != "auth" {
		return false
	}
	outer := ":" + d["nonce"] + ":"
	if d["qop"] != "" {
		outer += d["nc"] + ":" + d["cnonce"] + ":" + d["qop"] + ":"
	}
	want := md5Hex(md5Hex(d["username"]+":"+digestRealm+":"+g.DigestPassword(d["username"])) + outer + md5Hex(r.Method+":"+d["uri"]))
	return hmac.Equal([]byte(want), []byte(strings.ToLower(d["response"])))
}

// byDigest is whose password it was, if the nonce still counts.
func (g *Gate) byDigest(ctx context.Context, d map[string]string) (Identity, error) {
	raw, err := base64.RawURLEncoding.DecodeString(d["nonce"])
	if err != nil || len(raw) != 8+16 || !hmac.Equal(raw[8:], g.sealed("nonce", string(raw[:8]))[:16]) {
		return Identity{}, ErrStale // of another layerd, or made before it got another secret
	}
	age := time.Since(time.Unix(int64(binary.BigEndian.Uint64(raw)), 0))
	if again := ctx.Value(againKey{}) != nil; !again && (age < -time.Minute || age > digestGood) {
		return Identity{}, ErrStale
	}
	k, err := g.cfg.Book.KeyOf(ctx, d["username"])
	if err != nil {
		return Identity{}, err
	}
	return Identity{ID: k.ID, Name: k.Name, Role: k.Role, Via: "bearer", Confirmed: true}, nil
}

func md5Hex(text string) string {
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

// parseDigest reads name=value, name="value", …; of damaged text it reads what comes before. MaxHeaderBytes bounds it.
func parseDigest(text string) map[string]string {
	d := map[string]string{}
	for {
		text = strings.TrimLeft(text, " \t,")
		name, rest, ok := strings.Cut(text, "=")
		if !ok {
			return d
		}
		var value strings.Builder
		if quoted, is := strings.CutPrefix(rest, `"`); is {
			i := 0
			for ; i < len(quoted) && quoted[i] != '"'; i++ {
				if quoted[i] == '\\' && i+1 < len(quoted) {
					i++
				}
				value.WriteByte(quoted[i])
			}
			if i == len(quoted) {
				return d // no end
			}
			text = quoted[i+1:]
		} else {
			end := strings.IndexAny(rest, ", \t")
			if end < 0 {
				end = len(rest)
			}
			value.WriteString(rest[:end])
			text = rest[end:]
		}
		if name = strings.ToLower(strings.TrimSpace(name)); d[name] == "" {
			d[name] = value.String()
		}
	}
}
