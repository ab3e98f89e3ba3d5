
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'cablecar-relay' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'cablecar-relay'
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
        'cablecar-relay' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run a relay until SIGTERM, which drains it, or SIGINT')
            [CompletionResult]::new('admin', 'admin', [CompletionResultType]::ParameterValue, 'Ask a running relay, or tell it something')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Check or print the settings, without serving')
            [CompletionResult]::new('domain', 'domain', [CompletionResultType]::ParameterValue, 'Name the hosts under which clients can reach a relay')
            [CompletionResult]::new('probe', 'probe', [CompletionResultType]::ParameterValue, 'Sign in through a relay, both devices played here, and time the legs')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print what a shell completes, for it to read')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar-relay;serve' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Settings in TOML form; a flag or a variable (CABLECAR_RELAY_ and the flag in capitals) outranks it')
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Where to listen: an address with a port, unix:PATH, or systemd for the sockets that it gives; may be repeated')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'No TLS: a proxy in front does it')
            [CompletionResult]::new('--domain-id', '--domain-id', [CompletionResultType]::ParameterName, 'Tunnel service domain id under which clients reach this relay')
            [CompletionResult]::new('--routing-id', '--routing-id', [CompletionResultType]::ParameterName, 'Routing id to give out, 6 hexadecimal digits; made from region, node and the start counter if absent')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region in the routing id, 0 to 63 [default: 0]')
            [CompletionResult]::new('--node', '--node', [CompletionResultType]::ParameterName, 'Node in the routing id, 0 to 1023; random if absent')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Folder for the start counter and the handover socket; without it each start is at random')
            [CompletionResult]::new('--allow-origin', '--allow-origin', [CompletionResultType]::ParameterName, 'Host whose web pages may connect, beside the relay''s own; may be repeated')
            [CompletionResult]::new('--exempt', '--exempt', [CompletionResultType]::ParameterName, 'Network without limits per source, such as 192.0.2.0/24; may be repeated')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificate chain in PEM form, leaf first')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Private key of the certificate in PEM form')
            [CompletionResult]::new('--acme-contact', '--acme-contact', [CompletionResultType]::ParameterName, 'Where the authority may write to, such as mailto:admin@example.org; switches ACME on')
            [CompletionResult]::new('--acme-directory', '--acme-directory', [CompletionResultType]::ParameterName, 'The authority''s directory; Let''s Encrypt''s if absent')
            [CompletionResult]::new('--acme-cache-dir', '--acme-cache-dir', [CompletionResultType]::ParameterName, 'Folder that keeps account and certificates')
            [CompletionResult]::new('--acme-ca-file', '--acme-ca-file', [CompletionResultType]::ParameterName, 'Certificates in PEM form by which to know the authority; the well-known ones if absent')
            [CompletionResult]::new('--proxy-trusted', '--proxy-trusted', [CompletionResultType]::ParameterName, 'Network of the proxies in front, such as 10.0.0.0/8; may be repeated')
            [CompletionResult]::new('--proxy-protocol', '--proxy-protocol', [CompletionResultType]::ParameterName, 'How they name the client: forwarded-for (the header X-Forwarded-For) or proxy-v1v2 [default: forwarded-for]')
            [CompletionResult]::new('--access-open', '--access-open', [CompletionResultType]::ParameterName, 'Who may open a tunnel: anyone, networks, token or callout [default: anyone]')
            [CompletionResult]::new('--access-networks', '--access-networks', [CompletionResultType]::ParameterName, 'Network whose devices may open tunnels; may be repeated')
            [CompletionResult]::new('--access-token-file', '--access-token-file', [CompletionResultType]::ParameterName, 'File with the bearer tokens that may open tunnels, one a line')
            [CompletionResult]::new('--access-callout-url', '--access-callout-url', [CompletionResultType]::ParameterName, 'HTTP address that is asked whether somebody may open a tunnel')
            [CompletionResult]::new('--access-blocked', '--access-blocked', [CompletionResultType]::ParameterName, 'Network that may do nothing; may be repeated')
            [CompletionResult]::new('--access-block-file', '--access-block-file', [CompletionResultType]::ParameterName, 'File with more such networks, one a line')
            [CompletionResult]::new('--max-message', '--max-message', [CompletionResultType]::ParameterName, 'Bytes of one message [default: 128KiB]')
            [CompletionResult]::new('--max-messages', '--max-messages', [CompletionResultType]::ParameterName, 'Messages per side [default: 64]')
            [CompletionResult]::new('--max-bytes', '--max-bytes', [CompletionResultType]::ParameterName, 'Bytes per side in all [default: 1MiB]')
            [CompletionResult]::new('--held', '--held', [CompletionResultType]::ParameterName, 'Bytes held per direction beside one message; then the sender is not read [default: 64KiB]')
            [CompletionResult]::new('--waiting', '--waiting', [CompletionResultType]::ParameterName, 'Waiting for the second party [default: 90s]')
            [CompletionResult]::new('--life', '--life', [CompletionResultType]::ParameterName, 'Life after pairing [default: 180s]')
            [CompletionResult]::new('--stall', '--stall', [CompletionResultType]::ParameterName, 'How long a side may take nothing of what it is sent [default: 10s]')
            [CompletionResult]::new('--opening', '--opening', [CompletionResultType]::ParameterName, 'TCP, TLS and the request''s head together [default: 10s]')
            [CompletionResult]::new('--max-head', '--max-head', [CompletionResultType]::ParameterName, 'Bytes of the request''s head [default: 8KiB]')
            [CompletionResult]::new('--ping', '--ping', [CompletionResultType]::ParameterName, 'Pause between pings [default: 20s]')
            [CompletionResult]::new('--missed-pings', '--missed-pings', [CompletionResultType]::ParameterName, 'Unanswered pings in a row that close [default: 2]')
            [CompletionResult]::new('--per-source-waiting', '--per-source-waiting', [CompletionResultType]::ParameterName, 'Waiting tunnels per source (an IPv4 address or an IPv6 /64) [default: 64]')
            [CompletionResult]::new('--per-source-total', '--per-source-total', [CompletionResultType]::ParameterName, 'Connections per source [default: 128]')
            [CompletionResult]::new('--per-source-rate', '--per-source-rate', [CompletionResultType]::ParameterName, 'New connections a second per source [default: 20]')
            [CompletionResult]::new('--per-source-burst', '--per-source-burst', [CompletionResultType]::ParameterName, 'New connections at once per source, before the rate binds [default: 60]')
            [CompletionResult]::new('--max-connections', '--max-connections', [CompletionResultType]::ParameterName, 'Connections in all; 9/10 of the descriptor limit if absent')
            [CompletionResult]::new('--max-handshakes', '--max-handshakes', [CompletionResultType]::ParameterName, 'TLS handshakes at once')
            [CompletionResult]::new('--max-memory', '--max-memory', [CompletionResultType]::ParameterName, 'Memory beyond which no new tunnels are opened')
            [CompletionResult]::new('--drain', '--drain', [CompletionResultType]::ParameterName, 'What a drain may take; as long as the last tunnel may live if absent')
            [CompletionResult]::new('--admin-listen', '--admin-listen', [CompletionResultType]::ParameterName, 'Loopback address or unix:PATH for health, metrics and commands; none if absent')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'How lines are written: text or json [default: text]')
            [CompletionResult]::new('--log-level', '--log-level', [CompletionResultType]::ParameterName, 'How much is written: error, warn, info, debug or trace [default: info]')
            [CompletionResult]::new('--log-addresses', '--log-addresses', [CompletionResultType]::ParameterName, 'Whether clients'' addresses are written: off, or truncated to their network [default: off]')
            [CompletionResult]::new('--events', '--events', [CompletionResultType]::ParameterName, 'Print what happens on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-relay;admin' {
            [CompletionResult]::new('--admin-listen', '--admin-listen', [CompletionResultType]::ParameterName, 'Where the relay''s admin listener is, as in its own --admin-listen')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The relay''s settings, for where that is, if it is not said otherwise')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print the answer')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Say how it is')
            [CompletionResult]::new('drain', 'drain', [CompletionResultType]::ParameterValue, 'Open no more tunnels, and end with the last')
            [CompletionResult]::new('loglevel', 'loglevel', [CompletionResultType]::ParameterValue, 'Log at another level until the next start')
            [CompletionResult]::new('reload', 'reload', [CompletionResultType]::ParameterValue, 'Read certificates and lists again')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar-relay;admin;status' {
            [CompletionResult]::new('--admin-listen', '--admin-listen', [CompletionResultType]::ParameterName, 'Where the relay''s admin listener is, as in its own --admin-listen')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The relay''s settings, for where that is, if it is not said otherwise')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print the answer')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-relay;admin;drain' {
            [CompletionResult]::new('--admin-listen', '--admin-listen', [CompletionResultType]::ParameterName, 'Where the relay''s admin listener is, as in its own --admin-listen')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The relay''s settings, for where that is, if it is not said otherwise')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print the answer')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-relay;admin;loglevel' {
            [CompletionResult]::new('--admin-listen', '--admin-listen', [CompletionResultType]::ParameterName, 'Where the relay''s admin listener is, as in its own --admin-listen')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The relay''s settings, for where that is, if it is not said otherwise')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print the answer')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-relay;admin;reload' {
            [CompletionResult]::new('--admin-listen', '--admin-listen', [CompletionResultType]::ParameterName, 'Where the relay''s admin listener is, as in its own --admin-listen')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The relay''s settings, for where that is, if it is not said otherwise')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print the answer')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-relay;admin;help' {
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Say how it is')
            [CompletionResult]::new('drain', 'drain', [CompletionResultType]::ParameterValue, 'Open no more tunnels, and end with the last')
            [CompletionResult]::new('loglevel', 'loglevel', [CompletionResultType]::ParameterValue, 'Log at another level until the next start')
            [CompletionResult]::new('reload', 'reload', [CompletionResultType]::ParameterValue, 'Read certificates and lists again')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar-relay;admin;help;status' {
            break
        }
        'cablecar-relay;admin;help;drain' {
            break
        }
        'cablecar-relay;admin;help;loglevel' {
            break
        }
        'cablecar-relay;admin;help;reload' {
            break
        }
        'cablecar-relay;admin;help;help' {
            break
        }
        'cablecar-relay;config' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Say what would be served, or what is wrong with the settings')
            [CompletionResult]::new('print', 'print', [CompletionResultType]::ParameterValue, 'Print the effective settings as a file, each with its origin')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar-relay;config;check' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Settings in TOML form; a flag or a variable (CABLECAR_RELAY_ and the flag in capitals) outranks it')
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Where to listen: an address with a port, unix:PATH, or systemd for the sockets that it gives; may be repeated')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'No TLS: a proxy in front does it')
            [CompletionResult]::new('--domain-id', '--domain-id', [CompletionResultType]::ParameterName, 'Tunnel service domain id under which clients reach this relay')
            [CompletionResult]::new('--routing-id', '--routing-id', [CompletionResultType]::ParameterName, 'Routing id to give out, 6 hexadecimal digits; made from region, node and the start counter if absent')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region in the routing id, 0 to 63 [default: 0]')
            [CompletionResult]::new('--node', '--node', [CompletionResultType]::ParameterName, 'Node in the routing id, 0 to 1023; random if absent')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Folder for the start counter and the handover socket; without it each start is at random')
            [CompletionResult]::new('--allow-origin', '--allow-origin', [CompletionResultType]::ParameterName, 'Host whose web pages may connect, beside the relay''s own; may be repeated')
            [CompletionResult]::new('--exempt', '--exempt', [CompletionResultType]::ParameterName, 'Network without limits per source, such as 192.0.2.0/24; may be repeated')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificate chain in PEM form, leaf first')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Private key of the certificate in PEM form')
            [CompletionResult]::new('--acme-contact', '--acme-contact', [CompletionResultType]::ParameterName, 'Where the authority may write to, such as mailto:admin@example.org; switches ACME on')
            [CompletionResult]::new('--acme-directory', '--acme-directory', [CompletionResultType]::ParameterName, 'The authority''s directory; Let''s Encrypt''s if absent')
            [CompletionResult]::new('--acme-cache-dir', '--acme-cache-dir', [CompletionResultType]::ParameterName, 'Folder that keeps account and certificates')
            [CompletionResult]::new('--acme-ca-file', '--acme-ca-file', [CompletionResultType]::ParameterName, 'Certificates in PEM form by which to know the authority; the well-known ones if absent')
            [CompletionResult]::new('--proxy-trusted', '--proxy-trusted', [CompletionResultType]::ParameterName, 'Network of the proxies in front, such as 10.0.0.0/8; may be repeated')
            [CompletionResult]::new('--proxy-protocol', '--proxy-protocol', [CompletionResultType]::ParameterName, 'How they name the client: forwarded-for (the header X-Forwarded-For) or proxy-v1v2 [default: forwarded-for]')
            [CompletionResult]::new('--access-open', '--access-open', [CompletionResultType]::ParameterName, 'Who may open a tunnel: anyone, networks, token or callout [default: anyone]')
            [CompletionResult]::new('--access-networks', '--access-networks', [CompletionResultType]::ParameterName, 'Network whose devices may open tunnels; may be repeated')
            [CompletionResult]::new('--access-token-file', '--access-token-file', [CompletionResultType]::ParameterName, 'File with the bearer tokens that may open tunnels, one a line')
            [CompletionResult]::new('--access-callout-url', '--access-callout-url', [CompletionResultType]::ParameterName, 'HTTP address that is asked whether somebody may open a tunnel')
            [CompletionResult]::new('--access-blocked', '--access-blocked', [CompletionResultType]::ParameterName, 'Network that may do nothing; may be repeated')
            [CompletionResult]::new('--access-block-file', '--access-block-file', [CompletionResultType]::ParameterName, 'File with more such networks, one a line')
            [CompletionResult]::new('--max-message', '--max-message', [CompletionResultType]::ParameterName, 'Bytes of one message [default: 128KiB]')
            [CompletionResult]::new('--max-messages', '--max-messages', [CompletionResultType]::ParameterName, 'Messages per side [default: 64]')
            [CompletionResult]::new('--max-bytes', '--max-bytes', [CompletionResultType]::ParameterName, 'Bytes per side in all [default: 1MiB]')
            [CompletionResult]::new('--held', '--held', [CompletionResultType]::ParameterName, 'Bytes held per direction beside one message; then the sender is not read [default: 64KiB]')
            [CompletionResult]::new('--waiting', '--waiting', [CompletionResultType]::ParameterName, 'Waiting for the second party [default: 90s]')
            [CompletionResult]::new('--life', '--life', [CompletionResultType]::ParameterName, 'Life after pairing [default: 180s]')
            [CompletionResult]::new('--stall', '--stall', [CompletionResultType]::ParameterName, 'How long a side may take nothing of what it is sent [default: 10s]')
            [CompletionResult]::new('--opening', '--opening', [CompletionResultType]::ParameterName, 'TCP, TLS and the request''s head together [default: 10s]')
            [CompletionResult]::new('--max-head', '--max-head', [CompletionResultType]::ParameterName, 'Bytes of the request''s head [default: 8KiB]')
            [CompletionResult]::new('--ping', '--ping', [CompletionResultType]::ParameterName, 'Pause between pings [default: 20s]')
            [CompletionResult]::new('--missed-pings', '--missed-pings', [CompletionResultType]::ParameterName, 'Unanswered pings in a row that close [default: 2]')
            [CompletionResult]::new('--per-source-waiting', '--per-source-waiting', [CompletionResultType]::ParameterName, 'Waiting tunnels per source (an IPv4 address or an IPv6 /64) [default: 64]')
            [CompletionResult]::new('--per-source-total', '--per-source-total', [CompletionResultType]::ParameterName, 'Connections per source [default: 128]')
            [CompletionResult]::new('--per-source-rate', '--per-source-rate', [CompletionResultType]::ParameterName, 'New connections a second per source [default: 20]')
            [CompletionResult]::new('--per-source-burst', '--per-source-burst', [CompletionResultType]::ParameterName, 'New connections at once per source, before the rate binds [default: 60]')
            [CompletionResult]::new('--max-connections', '--max-connections', [CompletionResultType]::ParameterName, 'Connections in all; 9/10 of the descriptor limit if absent')
            [CompletionResult]::new('--max-handshakes', '--max-handshakes', [CompletionResultType]::ParameterName, 'TLS handshakes at once')
            [CompletionResult]::new('--max-memory', '--max-memory', [CompletionResultType]::ParameterName, 'Memory beyond which no new tunnels are opened')
            [CompletionResult]::new('--drain', '--drain', [CompletionResultType]::ParameterName, 'What a drain may take; as long as the last tunnel may live if absent')
            [CompletionResult]::new('--admin-listen', '--admin-listen', [CompletionResultType]::ParameterName, 'Loopback address or unix:PATH for health, metrics and commands; none if absent')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'How lines are written: text or json [default: text]')
            [CompletionResult]::new('--log-level', '--log-level', [CompletionResultType]::ParameterName, 'How much is written: error, warn, info, debug or trace [default: info]')
            [CompletionResult]::new('--log-addresses', '--log-addresses', [CompletionResultType]::ParameterName, 'Whether clients'' addresses are written: off, or truncated to their network [default: off]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cablecar-relay;config;print' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Settings in TOML form; a flag or a variable (CABLECAR_RELAY_ and the flag in capitals) outranks it')
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Where to listen: an address with a port, unix:PATH, or systemd for the sockets that it gives; may be repeated')
            [CompletionResult]::new('--plain', '--plain', [CompletionResultType]::ParameterName, 'No TLS: a proxy in front does it')
            [CompletionResult]::new('--domain-id', '--domain-id', [CompletionResultType]::ParameterName, 'Tunnel service domain id under which clients reach this relay')
            [CompletionResult]::new('--routing-id', '--routing-id', [CompletionResultType]::ParameterName, 'Routing id to give out, 6 hexadecimal digits; made from region, node and the start counter if absent')
            [CompletionResult]::new('--region', '--region', [CompletionResultType]::ParameterName, 'Region in the routing id, 0 to 63 [default: 0]')
            [CompletionResult]::new('--node', '--node', [CompletionResultType]::ParameterName, 'Node in the routing id, 0 to 1023; random if absent')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Folder for the start counter and the handover socket; without it each start is at random')
            [CompletionResult]::new('--allow-origin', '--allow-origin', [CompletionResultType]::ParameterName, 'Host whose web pages may connect, beside the relay''s own; may be repeated')
            [CompletionResult]::new('--exempt', '--exempt', [CompletionResultType]::ParameterName, 'Network without limits per source, such as 192.0.2.0/24; may be repeated')
            [CompletionResult]::new('--tls-cert', '--tls-cert', [CompletionResultType]::ParameterName, 'Certificate chain in PEM form, leaf first')
            [CompletionResult]::new('--tls-key', '--tls-key', [CompletionResultType]::ParameterName, 'Private key of the certificate in PEM form')
            [CompletionResult]::new('--acme-contact', '--acme-contact', [CompletionResultType]::ParameterName, 'Where the authority may write to, such as mailto:admin@example.org; switches ACME on')
            [CompletionResult]::new('--acme-directory', '--acme-directory', [CompletionResultType]::ParameterName, 'The authority''s directory; Let''s Encrypt''s if absent')
            [CompletionResult]::new('--acme-cache-dir', '--acme-cache-dir', [CompletionResultType]::ParameterName, 'Folder that keeps account and certificates')
            [CompletionResult]::new('--acme-ca-file', '--acme-ca-file', [CompletionResultType]::ParameterName, 'Certificates in PEM form by which to know the authority; the well-known ones if absent')
            [CompletionResult]::new('--proxy-trusted', '--proxy-trusted', [CompletionResultType]::ParameterName, 'Network of the proxies in front, such as 10.0.0.0/8; may be repeated')
            [CompletionResult]::new('--proxy-protocol', '--proxy-protocol', [CompletionResultType]::ParameterName, 'How they name the client: forwarded-for (the header X-Forwarded-For) or proxy-v1v2 [default: forwarded-for]')
            [CompletionResult]::new('--access-open', '--access-open', [CompletionResultType]::ParameterName, 'Who may open a tunnel: anyone, networks, token or callout [default: anyone]')
            [CompletionResult]::new('--access-networks', '--access-networks', [CompletionResultType]::ParameterName, 'Network whose devices may open tunnels; may be repeated')
            [CompletionResult]::new('--access-token-file', '--access-token-file', [CompletionResultType]::ParameterName, 'File with the bearer tokens that may open tunnels, one a line')
            [CompletionResult]::new('--access-callout-url', '--access-callout-url', [CompletionResultType]::ParameterName, 'HTTP address that is asked whether somebody may open a tunnel')
            [CompletionResult]::new('--access-blocked', '--access-blocked', [CompletionResultType]::ParameterName, 'Network that may do nothing; may be repeated')
            [CompletionResult]::new('--access-block-file', '--access-block-file', [CompletionResultType]::ParameterName, 'File with more such networks, one a line')
            [CompletionResult]::new('--max-message', '--max-message', [CompletionResultType]::ParameterName, 'Bytes of one message [default: 128KiB]')
            [CompletionResult]::new('--max-messages', '--max-messages', [CompletionResultType]::ParameterName, 'Messages per side [default: 64]')
            [CompletionResult]::new('--max-bytes', '--max-bytes', [CompletionResultType]::ParameterName, 'Bytes per side in all [default: 1MiB]')
            [CompletionResult]::new('--held', '--held', [CompletionResultType]::ParameterName, 'Bytes held per direction beside one message; then the sender is not read [default: 64KiB]')
            [CompletionResult]::new('--waiting', '--waiting', [CompletionResultType]::ParameterName, 'Waiting for the second party [default: 90s]')
            [CompletionResult]::new('--life', '--life', [CompletionResultType]::ParameterName, 'Life after pairing [default: 180s]')
            [CompletionResult]::new('--stall', '--stall', [CompletionResultType]::ParameterName, 'How long a side may take nothing of what it is sent [default: 10s]')
            [CompletionResult]::new('--opening', '--opening', [CompletionResultType]::ParameterName, 'TCP, TLS and the request''s head together [default: 10s]')
            [CompletionResult]::new('--max-head', '--max-head', [CompletionResultType]::ParameterName, 'Bytes of the request''s head [default: 8KiB]')
            [CompletionResult]::new('--ping', '--ping', [CompletionResultType]::ParameterName, 'Pause between pings [default: 20s]')
            [CompletionResult]::new('--missed-pings', '--missed-pings', [CompletionResultType]::ParameterName, 'Unanswered pings in a row that close [default: 2]')
            [CompletionResult]::new('--per-source-waiting', '--per-source-waiting', [CompletionResultType]::ParameterName, 'Waiting tunnels per source (an IPv4 address or an IPv6 /64) [default: 64]')
            [CompletionResult]::new('--per-source-total', '--per-source-total', [CompletionResultType]::ParameterName, 'Connections per source [default: 128]')
            [CompletionResult]::new('--per-source-rate', '--per-source-rate', [CompletionResultType]::ParameterName, 'New connections a second per source [default: 20]')
            [CompletionResult]::new('--per-source-burst', '--per-source-burst', [CompletionResultType]::ParameterName, 'New connections at once per source, before the rate binds [default: 60]')
            [CompletionResult]::new('--max-connections', '--max-connections', [CompletionResultType]::ParameterName, 'Connections in all; 9/10 of the descriptor limit if absent')
            [CompletionResult]::new('--max-handshakes', '--max-handshakes', [CompletionResultType]::ParameterName, 'TLS handshakes at once')
            [CompletionResult]::new('--max-memory', '--max-memory', [CompletionResultType]::ParameterName, 'Memory beyond which no new tunnels are opened')
            [CompletionResult]::new('--drain', '--drain', [CompletionResultType]::ParameterName, 'What a drain may take; as long as the last tunnel may live if absent')
            [CompletionResult]::new('--admin-listen', '--admin-listen', [CompletionResultType]::ParameterName, 'Loopback address or unix:PATH for health, metrics and commands; none if absent')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'How lines are written: text or json [default: text]')
            [CompletionResult]::new('--log-level', '--log-level', [CompletionResultType]::ParameterName, 'How much is written: error, warn, info, debug or trace [default: info]')
            [CompletionResult]::new('--log-addresses', '--log-addresses', [CompletionResultType]::ParameterName, 'Whether clients'' addresses are written: off, or truncated to their network [default: off]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cablecar-relay;config;help' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Say what would be served, or what is wrong with the settings')
            [CompletionResult]::new('print', 'print', [CompletionResultType]::ParameterValue, 'Print the effective settings as a file, each with its origin')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar-relay;config;help;check' {
            break
        }
        'cablecar-relay;config;help;print' {
            break
        }
        'cablecar-relay;config;help;help' {
            break
        }
        'cablecar-relay;domain' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('find', 'find', [CompletionResultType]::ParameterValue, 'Search the possible hosts, or look one up')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar-relay;domain;find' {
            [CompletionResult]::new('--contains', '--contains', [CompletionResultType]::ParameterName, 'Only hosts whose label contains this text')
            [CompletionResult]::new('--tld', '--tld', [CompletionResultType]::ParameterName, 'Only hosts in this top-level domain')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most this many')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print')
            [CompletionResult]::new('--shortest', '--shortest', [CompletionResultType]::ParameterName, 'Shortest first, else by id')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-relay;domain;help' {
            [CompletionResult]::new('find', 'find', [CompletionResultType]::ParameterValue, 'Search the possible hosts, or look one up')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar-relay;domain;help;find' {
            break
        }
        'cablecar-relay;domain;help;help' {
            break
        }
        'cablecar-relay;probe' {
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to say what was found')
            [CompletionResult]::new('--ca-file', '--ca-file', [CompletionResultType]::ParameterName, 'Certificate authorities to believe instead of the system''s')
            [CompletionResult]::new('--connect-to', '--connect-to', [CompletionResultType]::ParameterName, 'Dial ADDR:PORT instead of HOST:PORT')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'File with the token for opening tunnels, if the relay wants one')
            [CompletionResult]::new('--patience', '--patience', [CompletionResultType]::ParameterName, 'How long one leg may take')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'cablecar-relay;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'cablecar-relay;help' {
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run a relay until SIGTERM, which drains it, or SIGINT')
            [CompletionResult]::new('admin', 'admin', [CompletionResultType]::ParameterValue, 'Ask a running relay, or tell it something')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Check or print the settings, without serving')
            [CompletionResult]::new('domain', 'domain', [CompletionResultType]::ParameterValue, 'Name the hosts under which clients can reach a relay')
            [CompletionResult]::new('probe', 'probe', [CompletionResultType]::ParameterValue, 'Sign in through a relay, both devices played here, and time the legs')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print what a shell completes, for it to read')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'cablecar-relay;help;serve' {
            break
        }
        'cablecar-relay;help;admin' {
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Say how it is')
            [CompletionResult]::new('drain', 'drain', [CompletionResultType]::ParameterValue, 'Open no more tunnels, and end with the last')
            [CompletionResult]::new('loglevel', 'loglevel', [CompletionResultType]::ParameterValue, 'Log at another level until the next start')
            [CompletionResult]::new('reload', 'reload', [CompletionResultType]::ParameterValue, 'Read certificates and lists again')
            break
        }
        'cablecar-relay;help;admin;status' {
            break
        }
        'cablecar-relay;help;admin;drain' {
            break
        }
        'cablecar-relay;help;admin;loglevel' {
            break
        }
        'cablecar-relay;help;admin;reload' {
            break
        }
        'cablecar-relay;help;config' {
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Say what would be served, or what is wrong with the settings')
            [CompletionResult]::new('print', 'print', [CompletionResultType]::ParameterValue, 'Print the effective settings as a file, each with its origin')
            break
        }
        'cablecar-relay;help;config;check' {
            break
        }
        'cablecar-relay;help;config;print' {
            break
        }
        'cablecar-relay;help;domain' {
            [CompletionResult]::new('find', 'find', [CompletionResultType]::ParameterValue, 'Search the possible hosts, or look one up')
            break
        }
        'cablecar-relay;help;domain;find' {
            break
        }
        'cablecar-relay;help;probe' {
            break
        }
        'cablecar-relay;help;completions' {
            break
        }
        'cablecar-relay;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
