package power

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
)

// answerDigest answers a Digest challenge of RFC 7616, with SHA-256 and qop auth alone: that is what Shelly plugs ask for
// (shelly-api-docs.shelly.cloud/gen2/General/Authentication). "" for any other challenge.
func answerDigest(challenge, user, password, method, uri string) string {
	rest, digest := strings.CutPrefix(challenge, "Digest ")
	words := map[string]string{}
	for _, m := range digestWord().FindAllStringSubmatch(rest, 16) {
		words[strings.ToLower(m[1])] = m[2] + m[3]
	}
	realm, nonce := words["realm"], words["nonce"]
	if !digest || words["algorithm"] != "SHA-256" || nonce == "" || !strings.Contains(words["qop"], "auth") || strings.Contains(realm+nonce, "\\") {
		return ""
	}
	const count = "00000001"
	own := rand.Text()
	hash := func(parts ...string) string {
		return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(parts, ":"))))
	}
	response := hash(hash(user, realm, password), nonce, count, own, "auth", hash(method, uri))
	return fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", algorithm=SHA-256, qop=auth, nc=%s, cnonce="%s", response="%s"`, user, realm, nonce, uri, count, own, response)
}

// digestWord finds key="value" and key=value.
func digestWord() *regexp.Regexp {
	return regexp.MustCompile(`(\w+)=(?:"([^"\r\n]{0,200})"|([\w-]{1,200}))`)
}
