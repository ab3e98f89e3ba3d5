# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_cablecar_phone_global_optspecs
    string join \n vault= passphrase-file= accept-rollback events= h/help V/version
end

function __fish_cablecar_phone_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_cablecar_phone_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_cablecar_phone_using_subcommand
    set -l cmd (__fish_cablecar_phone_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -s V -l version -d 'Print version'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "init" -d 'Make an empty vault'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "scan" -d 'Scan a computer\'s QR code and serve it'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "list" -d 'List the passkeys in the vault; never their keys'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "ctap" -d 'Be an authenticator for programs of this computer: all of CTAP 2.1 in frames, as docs/ctap-pipe.md says'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "show" -d 'Show passkeys whole, but for their keys: all of a website, or one'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "rename" -d 'Give the account of a passkey other names'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "remove" -d 'Remove a passkey, after asking at the terminal'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "passphrase" -d 'Change the vault\'s passphrase'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "backup" -d 'Write the passkeys that may leave this vault into another file, under the same passphrase'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "restore" -d 'Bring back the passkeys of a backup that are missing here, or make a vault of it where there is none'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "pin" -d 'Set, change or remove the PIN for programs at the local pipe'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "policy" -d 'Say which passkeys may be made, or choose'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "import" -d 'Bring in passkeys from Bitwarden, KeePassXC, KeePassDX and others'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "export" -d 'Write passkeys to a file for another password manager'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "doctor" -d 'Check the radio, the way to the relays, the clock and the vault, and say what to do about what is found'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "completions" -d 'Print what a shell completes, for it to read'
complete -c cablecar-phone -n "__fish_cablecar_phone_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand init" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand init" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand init" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand init" -l danger-weak-kdf -d 'Make the passphrase as cheap to try as possible, for tests that open a vault a thousand times'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand init" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l camera -d 'Look for the code with this camera, or with the first one (Linux, in builds with the feature camera)' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l domain-id -d 'The relay at which to meet, by its domain id: 0 (Google\'s) as most phones do, or 256 and up for everybody else\'s' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l adapter -d 'The Bluetooth adapter [default: the first that is on and can advertise]' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l danger-air -d 'Advertise by UDP to this loopback address instead of by Bluetooth, which proves no proximity at all' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l connect-to -d 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l ca-file -d 'Trust the certificate authorities in this PEM file, and no others [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l relay-token-file -d 'Show the token in this file to the relay, if it opens tunnels only for those who have one; never to the relays with the ids 0 and 1' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l danger-relay -d 'Use this relay (ws:// or wss://), whatever the domain id says; the computer must be told the same' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l consent -d 'Where questions are asked: at this terminal, or by a notification with buttons (Linux, in builds with the feature notification)' -r -f -a "terminal\t'At the terminal that the program was started from'
notification\t'By a notification of the desktop'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l consent-command -d 'Have this program ask: a path, or a name on the search path, without arguments. It is started for each question, and reads and answers one line of JSON; docs/consent-command.md says which' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l verify -d 'Verify you for each request by this too: a finger known to fprintd, or what the system asks for by PAM and the program pamtester (in builds with the features fprintd and pam)' -r -f -a "passphrase\t'The vault\'s passphrase'
fprintd\t'A finger'
pam\t'Whatever the system asks for'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l danger-consent -d 'Answer every question without asking a person' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l accept-link -d 'Accept a code\'s text among the arguments'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand scan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand list" -l format -d 'In which form' -r -f -a "text\t'Lines for people'
json\t'One JSON value for programs'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand list" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand list" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand list" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand list" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand ctap" -l listen -d 'Speak on a socket that only this user can reach, with one client after the other' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand ctap" -l state -d 'Be the authenticator that lies in this folder, and not the vault' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand ctap" -l consent -d 'Where questions are asked: at this terminal, or by a notification with buttons (Linux, in builds with the feature notification)' -r -f -a "terminal\t'At the terminal that the program was started from'
notification\t'By a notification of the desktop'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand ctap" -l consent-command -d 'Have this program ask: a path, or a name on the search path, without arguments. It is started for each question, and reads and answers one line of JSON; docs/consent-command.md says which' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand ctap" -l verify -d 'Verify you for each request by this too: a finger known to fprintd, or what the system asks for by PAM and the program pamtester (in builds with the features fprintd and pam)' -r -f -a "passphrase\t'The vault\'s passphrase'
fprintd\t'A finger'
pam\t'Whatever the system asks for'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand ctap" -l danger-consent -d 'Answer every question without asking a person' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand ctap" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand ctap" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand ctap" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand ctap" -l stdio -d 'Speak on standard input and output, to the end of the input'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand ctap" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand ctap" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand show" -l format -d 'In which form' -r -f -a "text\t'Lines for people'
json\t'One JSON value for programs'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand show" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand show" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand show" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand show" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand rename" -l name -d 'The account\'s name, such as a mail address; empty takes it away' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand rename" -l display-name -d 'The person\'s name; empty takes it away' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand rename" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand rename" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand rename" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand rename" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand rename" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand remove" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand remove" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand remove" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand remove" -l yes -d 'Do not ask at the terminal'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand remove" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and not __fish_seen_subcommand_from change help" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and not __fish_seen_subcommand_from change help" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and not __fish_seen_subcommand_from change help" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and not __fish_seen_subcommand_from change help" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and not __fish_seen_subcommand_from change help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and not __fish_seen_subcommand_from change help" -f -a "change" -d 'Take another passphrase: every record is sealed anew, under keys made from a new salt'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and not __fish_seen_subcommand_from change help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and __fish_seen_subcommand_from change" -l new-passphrase-file -d 'Read the new passphrase from this file instead of asking for it twice at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and __fish_seen_subcommand_from change" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and __fish_seen_subcommand_from change" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and __fish_seen_subcommand_from change" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and __fish_seen_subcommand_from change" -l danger-weak-kdf -d 'Make the new passphrase as cheap to try as possible, for tests'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and __fish_seen_subcommand_from change" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and __fish_seen_subcommand_from change" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and __fish_seen_subcommand_from help" -f -a "change" -d 'Take another passphrase: every record is sealed anew, under keys made from a new salt'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand passphrase; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand backup" -l format -d 'In which form to say what is in it' -r -f -a "text\t'Lines for people'
json\t'One JSON value for programs'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand backup" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand backup" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand backup" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand backup" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand restore" -l backup-passphrase-file -d 'Read the backup\'s passphrase from this file [default: that of the vault; where it does not fit, it is asked for at the terminal]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand restore" -l format -d 'In which form to say what was added' -r -f -a "text\t'Lines for people'
json\t'One JSON value for programs'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand restore" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand restore" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand restore" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand restore" -l dry-run -d 'Say what would be added, and add nothing'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand restore" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and not __fish_seen_subcommand_from set change remove status help" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and not __fish_seen_subcommand_from set change remove status help" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and not __fish_seen_subcommand_from set change remove status help" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and not __fish_seen_subcommand_from set change remove status help" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and not __fish_seen_subcommand_from set change remove status help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and not __fish_seen_subcommand_from set change remove status help" -f -a "set" -d 'Set the first PIN'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and not __fish_seen_subcommand_from set change remove status help" -f -a "change" -d 'Set another PIN, and give it all its guesses back'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and not __fish_seen_subcommand_from set change remove status help" -f -a "remove" -d 'Take the PIN away'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and not __fish_seen_subcommand_from set change remove status help" -f -a "status" -d 'Say whether there is a PIN, and how many guesses it has left'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and not __fish_seen_subcommand_from set change remove status help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from set" -l pin-file -d 'Read the new PIN from this file instead of asking for it twice at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from set" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from set" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from set" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from set" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from change" -l pin-file -d 'Read the new PIN from this file instead of asking for it twice at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from change" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from change" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from change" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from change" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from change" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from remove" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from remove" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from remove" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from remove" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from status" -l format -d 'In which form' -r -f -a "text\t'Lines for people'
json\t'One JSON value for programs'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from status" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from status" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from status" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from status" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from help" -f -a "set" -d 'Set the first PIN'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from help" -f -a "change" -d 'Set another PIN, and give it all its guesses back'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Take the PIN away'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from help" -f -a "status" -d 'Say whether there is a PIN, and how many guesses it has left'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand pin; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand policy" -l format -d 'In which form' -r -f -a "text\t'Lines for people'
json\t'One JSON value for programs'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand policy" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand policy" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand policy" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand policy" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand policy" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand import" -l from -d 'What the file is written in [default: as it looks]' -r -f -a "bitwarden\t'Bitwarden\'s JSON, plain or password protected'
kdbx\t'A KeePass database, version 4'
cxf\t'The Credential Exchange Format, as JSON'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand import" -l file-passphrase-file -d 'Read the passphrase of FILE from this file instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand import" -l format -d 'In which form to say what became of each passkey' -r -f -a "text\t'Lines for people'
json\t'One JSON value for programs'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand import" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand import" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand import" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand import" -l dry-run -d 'Show what would come in and what would be left out, and change nothing'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand import" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand export" -l to -d 'What to write it in' -r -f -a "bitwarden\t'Bitwarden\'s JSON, with private keys in the clear'
bitwarden-encrypted\t'Bitwarden\'s JSON, password protected'
kdbx\t'A KeePass database, version 4'
cxf\t'The Credential Exchange Format, with private keys in the clear'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand export" -l rp -d 'Only the passkeys of this website, by its RP ID. May be given several times' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand export" -l file-passphrase-file -d 'Read the passphrase for FILE from this file instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand export" -l format -d 'In which form to say what became of each passkey' -r -f -a "text\t'Lines for people'
json\t'One JSON value for programs'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand export" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand export" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand export" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand export" -l force -d 'Replace FILE if it is there'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand export" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand doctor" -l domain-id -d 'A relay to try, by its domain id. May be given several times' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand doctor" -l adapter -d 'The Bluetooth adapter [default: the first that is on and can advertise]' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand doctor" -l danger-air -d 'Advertise by UDP to this loopback address instead of by Bluetooth, which proves no proximity at all' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand doctor" -l connect-to -d 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand doctor" -l ca-file -d 'Trust the certificate authorities in this PEM file, and no others [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand doctor" -l relay-token-file -d 'Show the token in this file to the relay, if it opens tunnels only for those who have one; never to the relays with the ids 0 and 1' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand doctor" -l danger-relay -d 'Use this relay (ws:// or wss://), whatever the domain id says; the computer must be told the same' -r
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand doctor" -l format -d 'In which form' -r -f -a "text\t'Lines for people'
json\t'One JSON value for programs'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand doctor" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand doctor" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand doctor" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand doctor" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand completions" -l vault -d 'The vault [default: cablecar/vault in the data folder of XDG]' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand completions" -l passphrase-file -d 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut' -r -F
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand completions" -l events -d 'Say on standard error what happens as JSON lines, for programs' -r -f -a "json\t'JSON lines'"
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand completions" -l accept-rollback -d 'Take an older copy of the vault for the present one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "init" -d 'Make an empty vault'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "scan" -d 'Scan a computer\'s QR code and serve it'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "list" -d 'List the passkeys in the vault; never their keys'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "ctap" -d 'Be an authenticator for programs of this computer: all of CTAP 2.1 in frames, as docs/ctap-pipe.md says'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "show" -d 'Show passkeys whole, but for their keys: all of a website, or one'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "rename" -d 'Give the account of a passkey other names'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "remove" -d 'Remove a passkey, after asking at the terminal'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "passphrase" -d 'Change the vault\'s passphrase'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "backup" -d 'Write the passkeys that may leave this vault into another file, under the same passphrase'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "restore" -d 'Bring back the passkeys of a backup that are missing here, or make a vault of it where there is none'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "pin" -d 'Set, change or remove the PIN for programs at the local pipe'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "policy" -d 'Say which passkeys may be made, or choose'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "import" -d 'Bring in passkeys from Bitwarden, KeePassXC, KeePassDX and others'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "export" -d 'Write passkeys to a file for another password manager'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "doctor" -d 'Check the radio, the way to the relays, the clock and the vault, and say what to do about what is found'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "completions" -d 'Print what a shell completes, for it to read'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and not __fish_seen_subcommand_from init scan list ctap show rename remove passphrase backup restore pin policy import export doctor completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and __fish_seen_subcommand_from passphrase" -f -a "change" -d 'Take another passphrase: every record is sealed anew, under keys made from a new salt'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and __fish_seen_subcommand_from pin" -f -a "set" -d 'Set the first PIN'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and __fish_seen_subcommand_from pin" -f -a "change" -d 'Set another PIN, and give it all its guesses back'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and __fish_seen_subcommand_from pin" -f -a "remove" -d 'Take the PIN away'
complete -c cablecar-phone -n "__fish_cablecar_phone_using_subcommand help; and __fish_seen_subcommand_from pin" -f -a "status" -d 'Say whether there is a PIN, and how many guesses it has left'
