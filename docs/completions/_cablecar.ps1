
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'cablecar' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'cablecar'
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
        'cablecar' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Make a new passkey on a phone')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Sign in with a passkey on a phone')
            [CompletionResult]::new('device', 'device', [CompletionResultType]::ParameterValue, 'Be a security key for all programs, on which a phone answers (Linux)')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Look for what would keep those from working')
            [CompletionResult]::new('install', 'install', [CompletionResultType]::ParameterValue, 'Put Cablecar where other programs find it')
            [CompletionResult]::new('browser-host', 'browser-host', [CompletionResultType]::ParameterValue, 'Serve the browser extension; browsers start this themselves')
            [CompletionResult]::new('ctap', 'ctap', [CompletionResultType]::ParameterValue, 'Be a security key for programs of this computer, whose passkeys are on a phone: CTAP in frames, as docs/ctap-pipe.md says')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print what a shell completes, for it to read')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar;create' {
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'The origin of the page that asks, such as `https://example.com`')
            [CompletionResult]::new('--qr', '--qr', [CompletionResultType]::ParameterName, 'How to show a code: terminal, text, png:FILE or svg:FILE (the file is removed when the request ends)')
            [CompletionResult]::new('--show', '--show', [CompletionResultType]::ParameterName, 'Where to show a code in place of the terminal: page, in the browser of this computer, with the stages; served to it alone, and once')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Print stages as events for programs, in place of sentences')
            [CompletionResult]::new('--adapter', '--adapter', [CompletionResultType]::ParameterName, 'The Bluetooth adapter that listens [default: the first that is on]')
            [CompletionResult]::new('--danger-air', '--danger-air', [CompletionResultType]::ParameterName, 'Hear phones over UDP on this loopback address in place of Bluetooth: no proximity')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust only the certificate authorities in this PEM file [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]')
            [CompletionResult]::new('--danger-relay', '--danger-relay', [CompletionResultType]::ParameterName, 'Use this relay (ws:// or wss://) whatever the phone''s advert names')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar;get' {
            [CompletionResult]::new('--origin', '--origin', [CompletionResultType]::ParameterName, 'The origin of the page that asks, such as `https://example.com`')
            [CompletionResult]::new('--qr', '--qr', [CompletionResultType]::ParameterName, 'How to show a code: terminal, text, png:FILE or svg:FILE (the file is removed when the request ends)')
            [CompletionResult]::new('--show', '--show', [CompletionResultType]::ParameterName, 'Where to show a code in place of the terminal: page, in the browser of this computer, with the stages; served to it alone, and once')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Print stages as events for programs, in place of sentences')
            [CompletionResult]::new('--adapter', '--adapter', [CompletionResultType]::ParameterName, 'The Bluetooth adapter that listens [default: the first that is on]')
            [CompletionResult]::new('--danger-air', '--danger-air', [CompletionResultType]::ParameterName, 'Hear phones over UDP on this loopback address in place of Bluetooth: no proximity')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust only the certificate authorities in this PEM file [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]')
            [CompletionResult]::new('--danger-relay', '--danger-relay', [CompletionResultType]::ParameterName, 'Use this relay (ws:// or wss://) whatever the phone''s advert names')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar;device' {
            [CompletionResult]::new('--qr', '--qr', [CompletionResultType]::ParameterName, 'How to show a code: terminal, text, png:FILE or svg:FILE (the file is removed when the request ends)')
            [CompletionResult]::new('--show', '--show', [CompletionResultType]::ParameterName, 'Where to show a code in place of the terminal: page, in the browser of this computer, with the stages; served to it alone, and once')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Print stages as events for programs, in place of sentences')
            [CompletionResult]::new('--adapter', '--adapter', [CompletionResultType]::ParameterName, 'The Bluetooth adapter that listens [default: the first that is on]')
            [CompletionResult]::new('--danger-air', '--danger-air', [CompletionResultType]::ParameterName, 'Hear phones over UDP on this loopback address in place of Bluetooth: no proximity')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust only the certificate authorities in this PEM file [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]')
            [CompletionResult]::new('--danger-relay', '--danger-relay', [CompletionResultType]::ParameterName, 'Use this relay (ws:// or wss://) whatever the phone''s advert names')
            [CompletionResult]::new('--socket', '--socket', [CompletionResultType]::ParameterName, 'Take CTAPHID''s reports from the socket of packets that is standard input, in place of /dev/uhid: for tests')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar;doctor' {
            [CompletionResult]::new('--domain-id', '--domain-id', [CompletionResultType]::ParameterName, 'A relay to try, by its domain id. May be given several times')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'In which form to report')
            [CompletionResult]::new('--adapter', '--adapter', [CompletionResultType]::ParameterName, 'The Bluetooth adapter that listens [default: the first that is on]')
            [CompletionResult]::new('--danger-air', '--danger-air', [CompletionResultType]::ParameterName, 'Hear phones over UDP on this loopback address in place of Bluetooth: no proximity')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust only the certificate authorities in this PEM file [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]')
            [CompletionResult]::new('--danger-relay', '--danger-relay', [CompletionResultType]::ParameterName, 'Use this relay (ws:// or wss://) whatever the phone''s advert names')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar;install' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('browser', 'browser', [CompletionResultType]::ParameterValue, 'Tell browsers where this program is, so that the extension can start it')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar;install;browser' {
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'This browser [default: all that were used here]. May be given several times')
            [CompletionResult]::new('--program', '--program', [CompletionResultType]::ParameterName, 'The program that the browser is to start [default: this one]')
            [CompletionResult]::new('--folder', '--folder', [CompletionResultType]::ParameterName, 'The folder of manifests of one browser, if it is elsewhere: of another profile, or of all users')
            [CompletionResult]::new('--extension-to', '--extension-to', [CompletionResultType]::ParameterName, 'Also write the extension into this folder, to be loaded from there')
            [CompletionResult]::new('--remove', '--remove', [CompletionResultType]::ParameterName, 'Take the manifests away again')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar;install;help' {
            [CompletionResult]::new('browser', 'browser', [CompletionResultType]::ParameterValue, 'Tell browsers where this program is, so that the extension can start it')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar;install;help;browser' {
            break
        }
        'cablecar;install;help;help' {
            break
        }
        'cablecar;browser-host' {
            [CompletionResult]::new('--adapter', '--adapter', [CompletionResultType]::ParameterName, 'The Bluetooth adapter that listens [default: the first that is on]')
            [CompletionResult]::new('--danger-air', '--danger-air', [CompletionResultType]::ParameterName, 'Hear phones over UDP on this loopback address in place of Bluetooth: no proximity')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust only the certificate authorities in this PEM file [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]')
            [CompletionResult]::new('--danger-relay', '--danger-relay', [CompletionResultType]::ParameterName, 'Use this relay (ws:// or wss://) whatever the phone''s advert names')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar;ctap' {
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Speak on a socket that only this user can reach, with one client after the other')
            [CompletionResult]::new('--qr', '--qr', [CompletionResultType]::ParameterName, 'How to show a code: terminal, text, png:FILE or svg:FILE (the file is removed when the request ends)')
            [CompletionResult]::new('--show', '--show', [CompletionResultType]::ParameterName, 'Where to show a code in place of the terminal: page, in the browser of this computer, with the stages; served to it alone, and once')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Print stages as events for programs, in place of sentences')
            [CompletionResult]::new('--adapter', '--adapter', [CompletionResultType]::ParameterName, 'The Bluetooth adapter that listens [default: the first that is on]')
            [CompletionResult]::new('--danger-air', '--danger-air', [CompletionResultType]::ParameterName, 'Hear phones over UDP on this loopback address in place of Bluetooth: no proximity')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Trust only the certificate authorities in this PEM file [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]')
            [CompletionResult]::new('--danger-relay', '--danger-relay', [CompletionResultType]::ParameterName, 'Use this relay (ws:// or wss://) whatever the phone''s advert names')
            [CompletionResult]::new('--stdio', '--stdio', [CompletionResultType]::ParameterName, 'Speak on standard input and output, to the end of the input')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cablecar;help' {
            [CompletionResult]::new('create', 'create', [CompletionResultType]::ParameterValue, 'Make a new passkey on a phone')
            [CompletionResult]::new('get', 'get', [CompletionResultType]::ParameterValue, 'Sign in with a passkey on a phone')
            [CompletionResult]::new('device', 'device', [CompletionResultType]::ParameterValue, 'Be a security key for all programs, on which a phone answers (Linux)')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Look for what would keep those from working')
            [CompletionResult]::new('install', 'install', [CompletionResultType]::ParameterValue, 'Put Cablecar where other programs find it')
            [CompletionResult]::new('browser-host', 'browser-host', [CompletionResultType]::ParameterValue, 'Serve the browser extension; browsers start this themselves')
            [CompletionResult]::new('ctap', 'ctap', [CompletionResultType]::ParameterValue, 'Be a security key for programs of this computer, whose passkeys are on a phone: CTAP in frames, as docs/ctap-pipe.md says')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print what a shell completes, for it to read')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar;help;create' {
            break
        }
        'cablecar;help;get' {
            break
        }
        'cablecar;help;device' {
            break
        }
        'cablecar;help;doctor' {
            break
        }
        'cablecar;help;install' {
            [CompletionResult]::new('browser', 'browser', [CompletionResultType]::ParameterValue, 'Tell browsers where this program is, so that the extension can start it')
            break
        }
        'cablecar;help;install;browser' {
            break
        }
        'cablecar;help;browser-host' {
            break
        }
        'cablecar;help;ctap' {
            break
        }
        'cablecar;help;completions' {
            break
        }
        'cablecar;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
