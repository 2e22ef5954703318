// Command step-ca: the certificate authority of Debian's golang-github-smallstep-certificates-dev, which comes without
// a program, with the key stores that a rehearsal needs.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/smallstep/certificates/commands"
	"github.com/urfave/cli"

	_ "github.com/smallstep/certificates/cas/softcas"
	_ "github.com/smallstep/certificates/kms/pkcs11"
	_ "github.com/smallstep/certificates/kms/softkms"
)

// optionsFirst moves options in front of the configuration's path: Go's flag package stops at the first argument.
func optionsFirst(arguments []string) []string {
	var options, rest []string
	for i := 0; i < len(arguments); i++ {
		argument := arguments[i]
		if !strings.HasPrefix(argument, "-") {
			rest = append(rest, argument)
			continue
		}
		options = append(options, argument)
		if !strings.Contains(argument, "=") && argument != "--quiet" && i+1 < len(arguments) {
			i++
			options = append(options, arguments[i])
		}
	}
	return append(options, rest...)
}

func main() {
	app := cli.NewApp()
	app.Name = "step-ca"
	app.HideVersion = true
	app.Flags = commands.AppCommand.Flags
	app.Action = commands.AppCommand.Action
	if err := app.Run(append(os.Args[:1], optionsFirst(os.Args[1:])...)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
