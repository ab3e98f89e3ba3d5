
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'cablecar-phone' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'cablecar-phone'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'cablecar-phone' {
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Make an empty vault')
            [CompletionResult]::new('scan', 'scan', [CompletionResultType]::ParameterValue, 'Scan a computer''s QR code and serve it')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the passkeys in the vault; never their keys')
            [CompletionResult]::new('ctap', 'ctap', [CompletionResultType]::ParameterValue, 'Be an authenticator for programs of this computer: all of CTAP 2.1 in frames, as docs/ctap-pipe.md says')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show passkeys whole, but for their keys: all of a website, or one')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Give the account of a passkey other names')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove a passkey, after asking at the terminal')
            [CompletionResult]::new('passphrase', 'passphrase', [CompletionResultType]::ParameterValue, 'Change the vault''s passphrase')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Write the passkeys that may leave this vault into another file, under the same passphrase')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Bring back the passkeys of a backup that are missing here, or make a vault of it where there is none')
            [CompletionResult]::new('pin', 'pin', [CompletionResultType]::ParameterValue, 'Set, change or remove the PIN for programs at the local pipe')
            [CompletionResult]::new('policy', 'policy', [CompletionResultType]::ParameterValue, 'Say which passkeys may be made, or choose')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Bring in passkeys from Bitwarden, KeePassXC, KeePassDX and others')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write passkeys to a file for another password manager')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check the radio, the way to the relays, the clock and the vault, and say what to do about what is found')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print what a shell completes, for it to read')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar-phone;init' {
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--danger-weak-kdf', '--danger-weak-kdf', [CompletionResultType]::ParameterName, 'Make the passphrase as cheap to try as possible, for tests that open a vault a thousand times')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;scan' {
            [CompletionResult]::new('--camera', '--camera', [CompletionResultType]::ParameterName, 'Look for the code with this camera, or with the first one (Linux, in builds with the feature camera)')
            [CompletionResult]::new('--domain-id', '--domain-id', [CompletionResultType]::ParameterName, 'The relay at which to meet, by its domain id: 0 (Google''s) as most phones do, or 256 and up for everybody else''s')
            [CompletionResult]::new('--adapter', '--adapter', [CompletionResultType]::ParameterName, 'The Bluetooth adapter [default: the first that is on and can advertise]')
            [CompletionResult]::new('--danger-air', '--danger-air', [CompletionResultType]::ParameterName, 'Advertise by UDP to this loopback address instead of by Bluetooth, which proves no proximity at all')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust the certificate authorities in this PEM file, and no others [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]')
            [CompletionResult]::new('--relay-token-file', '--relay-token-file', [CompletionResultType]::ParameterName, 'Show the token in this file to the relay, if it opens tunnels only for those who have one; never to the relays with the ids 0 and 1')
            [CompletionResult]::new('--danger-relay', '--danger-relay', [CompletionResultType]::ParameterName, 'Use this relay (ws:// or wss://), whatever the domain id says; the computer must be told the same')
            [CompletionResult]::new('--consent', '--consent', [CompletionResultType]::ParameterName, 'Where questions are asked: at this terminal, or by a notification with buttons (Linux, in builds with the feature notification)')
            [CompletionResult]::new('--consent-command', '--consent-command', [CompletionResultType]::ParameterName, 'Have this program ask: a path, or a name on the search path, without arguments. It is started for each question, and reads and answers one line of JSON; docs/consent-command.md says which')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Verify you for each request by this too: a finger known to fprintd, or what the system asks for by PAM and the program pamtester (in builds with the features fprintd and pam)')
            [CompletionResult]::new('--danger-consent', '--danger-consent', [CompletionResultType]::ParameterName, 'Answer every question without asking a person')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-link', '--accept-link', [CompletionResultType]::ParameterName, 'Accept a code''s text among the arguments')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;list' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'In which form')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;ctap' {
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Speak on a socket that only this user can reach, with one client after the other')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Be the authenticator that lies in this folder, and not the vault')
            [CompletionResult]::new('--consent', '--consent', [CompletionResultType]::ParameterName, 'Where questions are asked: at this terminal, or by a notification with buttons (Linux, in builds with the feature notification)')
            [CompletionResult]::new('--consent-command', '--consent-command', [CompletionResultType]::ParameterName, 'Have this program ask: a path, or a name on the search path, without arguments. It is started for each question, and reads and answers one line of JSON; docs/consent-command.md says which')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Verify you for each request by this too: a finger known to fprintd, or what the system asks for by PAM and the program pamtester (in builds with the features fprintd and pam)')
            [CompletionResult]::new('--danger-consent', '--danger-consent', [CompletionResultType]::ParameterName, 'Answer every question without asking a person')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--stdio', '--stdio', [CompletionResultType]::ParameterName, 'Speak on standard input and output, to the end of the input')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;show' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'In which form')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;rename' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'The account''s name, such as a mail address; empty takes it away')
            [CompletionResult]::new('--display-name', '--display-name', [CompletionResultType]::ParameterName, 'The person''s name; empty takes it away')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;remove' {
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask at the terminal')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;passphrase' {
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('change', 'change', [CompletionResultType]::ParameterValue, 'Take another passphrase: every record is sealed anew, under keys made from a new salt')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar-phone;passphrase;change' {
            [CompletionResult]::new('--new-passphrase-file', '--new-passphrase-file', [CompletionResultType]::ParameterName, 'Read the new passphrase from this file instead of asking for it twice at the terminal; one line end is cut')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--danger-weak-kdf', '--danger-weak-kdf', [CompletionResultType]::ParameterName, 'Make the new passphrase as cheap to try as possible, for tests')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;passphrase;help' {
            [CompletionResult]::new('change', 'change', [CompletionResultType]::ParameterValue, 'Take another passphrase: every record is sealed anew, under keys made from a new salt')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar-phone;passphrase;help;change' {
            break
        }
        'cablecar-phone;passphrase;help;help' {
            break
        }
        'cablecar-phone;backup' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'In which form to say what is in it')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;restore' {
            [CompletionResult]::new('--backup-passphrase-file', '--backup-passphrase-file', [CompletionResultType]::ParameterName, 'Read the backup''s passphrase from this file [default: that of the vault; where it does not fit, it is asked for at the terminal]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'In which form to say what was added')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would be added, and add nothing')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;pin' {
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Set the first PIN')
            [CompletionResult]::new('change', 'change', [CompletionResultType]::ParameterValue, 'Set another PIN, and give it all its guesses back')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Take the PIN away')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Say whether there is a PIN, and how many guesses it has left')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar-phone;pin;set' {
            [CompletionResult]::new('--pin-file', '--pin-file', [CompletionResultType]::ParameterName, 'Read the new PIN from this file instead of asking for it twice at the terminal; one line end is cut')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;pin;change' {
            [CompletionResult]::new('--pin-file', '--pin-file', [CompletionResultType]::ParameterName, 'Read the new PIN from this file instead of asking for it twice at the terminal; one line end is cut')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;pin;remove' {
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;pin;status' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'In which form')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;pin;help' {
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Set the first PIN')
            [CompletionResult]::new('change', 'change', [CompletionResultType]::ParameterValue, 'Set another PIN, and give it all its guesses back')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Take the PIN away')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Say whether there is a PIN, and how many guesses it has left')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar-phone;pin;help;set' {
            break
        }
        'cablecar-phone;pin;help;change' {
            break
        }
        'cablecar-phone;pin;help;remove' {
            break
        }
        'cablecar-phone;pin;help;status' {
            break
        }
        'cablecar-phone;pin;help;help' {
            break
        }
        'cablecar-phone;policy' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'In which form')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;import' {
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'What the file is written in [default: as it looks]')
            [CompletionResult]::new('--file-passphrase-file', '--file-passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase of FILE from this file instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'In which form to say what became of each passkey')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would come in and what would be left out, and change nothing')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;export' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'What to write it in')
            [CompletionResult]::new('--rp', '--rp', [CompletionResultType]::ParameterName, 'Only the passkeys of this website, by its RP ID. May be given several times')
            [CompletionResult]::new('--file-passphrase-file', '--file-passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase for FILE from this file instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'In which form to say what became of each passkey')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace FILE if it is there')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;doctor' {
            [CompletionResult]::new('--domain-id', '--domain-id', [CompletionResultType]::ParameterName, 'A relay to try, by its domain id. May be given several times')
            [CompletionResult]::new('--adapter', '--adapter', [CompletionResultType]::ParameterName, 'The Bluetooth adapter [default: the first that is on and can advertise]')
            [CompletionResult]::new('--danger-air', '--danger-air', [CompletionResultType]::ParameterName, 'Advertise by UDP to this loopback address instead of by Bluetooth, which proves no proximity at all')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust the certificate authorities in this PEM file, and no others [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]')
            [CompletionResult]::new('--relay-token-file', '--relay-token-file', [CompletionResultType]::ParameterName, 'Show the token in this file to the relay, if it opens tunnels only for those who have one; never to the relays with the ids 0 and 1')
            [CompletionResult]::new('--danger-relay', '--danger-relay', [CompletionResultType]::ParameterName, 'Use this relay (ws:// or wss://), whatever the domain id says; the computer must be told the same')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'In which form')
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;completions' {
            [CompletionResult]::new('--vault', '--vault', [CompletionResultType]::ParameterName, 'The vault [default: cablecar/vault in the data folder of XDG]')
            [CompletionResult]::new('--passphrase-file', '--passphrase-file', [CompletionResultType]::ParameterName, 'Read the passphrase from this file, again for each request, instead of asking at the terminal; one line end is cut')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Say on standard error what happens as JSON lines, for programs')
            [CompletionResult]::new('--accept-rollback', '--accept-rollback', [CompletionResultType]::ParameterName, 'Take an older copy of the vault for the present one')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-phone;help' {
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Make an empty vault')
            [CompletionResult]::new('scan', 'scan', [CompletionResultType]::ParameterValue, 'Scan a computer''s QR code and serve it')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List the passkeys in the vault; never their keys')
            [CompletionResult]::new('ctap', 'ctap', [CompletionResultType]::ParameterValue, 'Be an authenticator for programs of this computer: all of CTAP 2.1 in frames, as docs/ctap-pipe.md says')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show passkeys whole, but for their keys: all of a website, or one')
            [CompletionResult]::new('rename', 'rename', [CompletionResultType]::ParameterValue, 'Give the account of a passkey other names')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Remove a passkey, after asking at the terminal')
            [CompletionResult]::new('passphrase', 'passphrase', [CompletionResultType]::ParameterValue, 'Change the vault''s passphrase')
            [CompletionResult]::new('backup', 'backup', [CompletionResultType]::ParameterValue, 'Write the passkeys that may leave this vault into another file, under the same passphrase')
            [CompletionResult]::new('restore', 'restore', [CompletionResultType]::ParameterValue, 'Bring back the passkeys of a backup that are missing here, or make a vault of it where there is none')
            [CompletionResult]::new('pin', 'pin', [CompletionResultType]::ParameterValue, 'Set, change or remove the PIN for programs at the local pipe')
            [CompletionResult]::new('policy', 'policy', [CompletionResultType]::ParameterValue, 'Say which passkeys may be made, or choose')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Bring in passkeys from Bitwarden, KeePassXC, KeePassDX and others')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Write passkeys to a file for another password manager')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Check the radio, the way to the relays, the clock and the vault, and say what to do about what is found')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print what a shell completes, for it to read')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar-phone;help;init' {
            break
        }
        'cablecar-phone;help;scan' {
            break
        }
        'cablecar-phone;help;list' {
            break
        }
        'cablecar-phone;help;ctap' {
            break
        }
        'cablecar-phone;help;show' {
            break
        }
        'cablecar-phone;help;rename' {
            break
        }
        'cablecar-phone;help;remove' {
            break
        }
        'cablecar-phone;help;passphrase' {
            [CompletionResult]::new('change', 'change', [CompletionResultType]::ParameterValue, 'Take another passphrase: every record is sealed anew, under keys made from a new salt')
            break
        }
        'cablecar-phone;help;passphrase;change' {
            break
        }
        'cablecar-phone;help;backup' {
            break
        }
        'cablecar-phone;help;restore' {
            break
        }
        'cablecar-phone;help;pin' {
            [CompletionResult]::new('set', 'set', [CompletionResultType]::ParameterValue, 'Set the first PIN')
            [CompletionResult]::new('change', 'change', [CompletionResultType]::ParameterValue, 'Set another PIN, and give it all its guesses back')
            [CompletionResult]::new('remove', 'remove', [CompletionResultType]::ParameterValue, 'Take the PIN away')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Say whether there is a PIN, and how many guesses it has left')
            break
        }
        'cablecar-phone;help;pin;set' {
            break
        }
        'cablecar-phone;help;pin;change' {
            break
        }
        'cablecar-phone;help;pin;remove' {
            break
        }
        'cablecar-phone;help;pin;status' {
            break
        }
        'cablecar-phone;help;policy' {
            break
        }
        'cablecar-phone;help;import' {
            break
        }
        'cablecar-phone;help;export' {
            break
        }
        'cablecar-phone;help;doctor' {
            break
        }
        'cablecar-phone;help;completions' {
            break
        }
        'cablecar-phone;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
