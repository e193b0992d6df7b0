// Package archtest holds the rules of the house as plain tests: who may import whom, and what no file may contain. It fails
// when an import goes the wrong way; the message says which, and why it should not. docs/ARCHITECTURE.md tells the reasons at length.
//
// The rules are in rules_test.go, the checks in checks_test.go, and arch_test.go runs them over the repository and over
// small files that break each of them once, to prove that they can fail.
package archtest
