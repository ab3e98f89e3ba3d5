# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_cablecar_relay_global_optspecs
    string join \n h/help V/version
end

function __fish_cablecar_relay_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_cablecar_relay_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_cablecar_relay_using_subcommand
    set -l cmd (__fish_cablecar_relay_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c cablecar-relay -n "__fish_cablecar_relay_needs_command" -s h -l help -d 'Print help'
complete -c cablecar-relay -n "__fish_cablecar_relay_needs_command" -s V -l version -d 'Print version'
complete -c cablecar-relay -n "__fish_cablecar_relay_needs_command" -f -a "serve" -d 'Run a relay until SIGTERM, which drains it, or SIGINT'
complete -c cablecar-relay -n "__fish_cablecar_relay_needs_command" -f -a "admin" -d 'Ask a running relay, or tell it something'
complete -c cablecar-relay -n "__fish_cablecar_relay_needs_command" -f -a "config" -d 'Check or print the settings, without serving'
complete -c cablecar-relay -n "__fish_cablecar_relay_needs_command" -f -a "domain" -d 'Name the hosts under which clients can reach a relay'
complete -c cablecar-relay -n "__fish_cablecar_relay_needs_command" -f -a "probe" -d 'Sign in through a relay, both devices played here, and time the legs'
complete -c cablecar-relay -n "__fish_cablecar_relay_needs_command" -f -a "completions" -d 'Print what a shell completes, for it to read'
complete -c cablecar-relay -n "__fish_cablecar_relay_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l config -d 'Settings in TOML form; a flag or a variable (CABLECAR_RELAY_ and the flag in capitals) outranks it' -r -F
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l listen -d 'Where to listen: an address with a port, unix:PATH, or systemd for the sockets that it gives; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l plain -d 'No TLS: a proxy in front does it' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l domain-id -d 'Tunnel service domain id under which clients reach this relay' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l routing-id -d 'Routing id to give out, 6 hexadecimal digits; made from region, node and the start counter if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l region -d 'Region in the routing id, 0 to 63 [default: 0]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l node -d 'Node in the routing id, 0 to 1023; random if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l state-dir -d 'Folder for the start counter and the handover socket; without it each start is at random' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l allow-origin -d 'Host whose web pages may connect, beside the relay\'s own; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l exempt -d 'Network without limits per source, such as 192.0.2.0/24; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l tls-cert -d 'Certificate chain in PEM form, leaf first' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l tls-key -d 'Private key of the certificate in PEM form' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l acme-contact -d 'Where the authority may write to, such as mailto:admin@example.org; switches ACME on' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l acme-directory -d 'The authority\'s directory; Let\'s Encrypt\'s if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l acme-cache-dir -d 'Folder that keeps account and certificates' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l acme-ca-file -d 'Certificates in PEM form by which to know the authority; the well-known ones if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l proxy-trusted -d 'Network of the proxies in front, such as 10.0.0.0/8; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l proxy-protocol -d 'How they name the client: forwarded-for (the header X-Forwarded-For) or proxy-v1v2 [default: forwarded-for]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l access-open -d 'Who may open a tunnel: anyone, networks, token or callout [default: anyone]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l access-networks -d 'Network whose devices may open tunnels; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l access-token-file -d 'File with the bearer tokens that may open tunnels, one a line' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l access-callout-url -d 'HTTP address that is asked whether somebody may open a tunnel' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l access-blocked -d 'Network that may do nothing; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l access-block-file -d 'File with more such networks, one a line' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l max-message -d 'Bytes of one message [default: 128KiB]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l max-messages -d 'Messages per side [default: 64]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l max-bytes -d 'Bytes per side in all [default: 1MiB]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l held -d 'Bytes held per direction beside one message; then the sender is not read [default: 64KiB]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l waiting -d 'Waiting for the second party [default: 90s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l life -d 'Life after pairing [default: 180s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l stall -d 'How long a side may take nothing of what it is sent [default: 10s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l opening -d 'TCP, TLS and the request\'s head together [default: 10s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l max-head -d 'Bytes of the request\'s head [default: 8KiB]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l ping -d 'Pause between pings [default: 20s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l missed-pings -d 'Unanswered pings in a row that close [default: 2]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l per-source-waiting -d 'Waiting tunnels per source (an IPv4 address or an IPv6 /64) [default: 64]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l per-source-total -d 'Connections per source [default: 128]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l per-source-rate -d 'New connections a second per source [default: 20]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l per-source-burst -d 'New connections at once per source, before the rate binds [default: 60]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l max-connections -d 'Connections in all; 9/10 of the descriptor limit if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l max-handshakes -d 'TLS handshakes at once' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l max-memory -d 'Memory beyond which no new tunnels are opened' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l drain -d 'What a drain may take; as long as the last tunnel may live if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l admin-listen -d 'Loopback address or unix:PATH for health, metrics and commands; none if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l log-format -d 'How lines are written: text or json [default: text]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l log-level -d 'How much is written: error, warn, info, debug or trace [default: info]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l log-addresses -d 'Whether clients\' addresses are written: off, or truncated to their network [default: off]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -l events -d 'Print what happens on standard output' -r -f -a "json\t'One JSON object a line'"
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and not __fish_seen_subcommand_from status drain loglevel reload help" -l admin-listen -d 'Where the relay\'s admin listener is, as in its own --admin-listen' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and not __fish_seen_subcommand_from status drain loglevel reload help" -l config -d 'The relay\'s settings, for where that is, if it is not said otherwise' -r -F
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and not __fish_seen_subcommand_from status drain loglevel reload help" -l format -d 'How to print the answer' -r -f -a "text\t'For people'
json\t'As the relay said it'"
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and not __fish_seen_subcommand_from status drain loglevel reload help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and not __fish_seen_subcommand_from status drain loglevel reload help" -f -a "status" -d 'Say how it is'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and not __fish_seen_subcommand_from status drain loglevel reload help" -f -a "drain" -d 'Open no more tunnels, and end with the last'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and not __fish_seen_subcommand_from status drain loglevel reload help" -f -a "loglevel" -d 'Log at another level until the next start'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and not __fish_seen_subcommand_from status drain loglevel reload help" -f -a "reload" -d 'Read certificates and lists again'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and not __fish_seen_subcommand_from status drain loglevel reload help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from status" -l admin-listen -d 'Where the relay\'s admin listener is, as in its own --admin-listen' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from status" -l config -d 'The relay\'s settings, for where that is, if it is not said otherwise' -r -F
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from status" -l format -d 'How to print the answer' -r -f -a "text\t'For people'
json\t'As the relay said it'"
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from drain" -l admin-listen -d 'Where the relay\'s admin listener is, as in its own --admin-listen' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from drain" -l config -d 'The relay\'s settings, for where that is, if it is not said otherwise' -r -F
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from drain" -l format -d 'How to print the answer' -r -f -a "text\t'For people'
json\t'As the relay said it'"
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from drain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from loglevel" -l admin-listen -d 'Where the relay\'s admin listener is, as in its own --admin-listen' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from loglevel" -l config -d 'The relay\'s settings, for where that is, if it is not said otherwise' -r -F
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from loglevel" -l format -d 'How to print the answer' -r -f -a "text\t'For people'
json\t'As the relay said it'"
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from loglevel" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from reload" -l admin-listen -d 'Where the relay\'s admin listener is, as in its own --admin-listen' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from reload" -l config -d 'The relay\'s settings, for where that is, if it is not said otherwise' -r -F
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from reload" -l format -d 'How to print the answer' -r -f -a "text\t'For people'
json\t'As the relay said it'"
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from reload" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "status" -d 'Say how it is'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "drain" -d 'Open no more tunnels, and end with the last'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "loglevel" -d 'Log at another level until the next start'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "reload" -d 'Read certificates and lists again'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand admin; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and not __fish_seen_subcommand_from check print help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and not __fish_seen_subcommand_from check print help" -f -a "check" -d 'Say what would be served, or what is wrong with the settings'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and not __fish_seen_subcommand_from check print help" -f -a "print" -d 'Print the effective settings as a file, each with its origin'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and not __fish_seen_subcommand_from check print help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'Settings in TOML form; a flag or a variable (CABLECAR_RELAY_ and the flag in capitals) outranks it' -r -F
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l listen -d 'Where to listen: an address with a port, unix:PATH, or systemd for the sockets that it gives; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l plain -d 'No TLS: a proxy in front does it' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l domain-id -d 'Tunnel service domain id under which clients reach this relay' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l routing-id -d 'Routing id to give out, 6 hexadecimal digits; made from region, node and the start counter if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l region -d 'Region in the routing id, 0 to 63 [default: 0]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l node -d 'Node in the routing id, 0 to 1023; random if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l state-dir -d 'Folder for the start counter and the handover socket; without it each start is at random' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l allow-origin -d 'Host whose web pages may connect, beside the relay\'s own; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l exempt -d 'Network without limits per source, such as 192.0.2.0/24; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l tls-cert -d 'Certificate chain in PEM form, leaf first' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l tls-key -d 'Private key of the certificate in PEM form' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l acme-contact -d 'Where the authority may write to, such as mailto:admin@example.org; switches ACME on' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l acme-directory -d 'The authority\'s directory; Let\'s Encrypt\'s if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l acme-cache-dir -d 'Folder that keeps account and certificates' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l acme-ca-file -d 'Certificates in PEM form by which to know the authority; the well-known ones if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l proxy-trusted -d 'Network of the proxies in front, such as 10.0.0.0/8; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l proxy-protocol -d 'How they name the client: forwarded-for (the header X-Forwarded-For) or proxy-v1v2 [default: forwarded-for]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l access-open -d 'Who may open a tunnel: anyone, networks, token or callout [default: anyone]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l access-networks -d 'Network whose devices may open tunnels; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l access-token-file -d 'File with the bearer tokens that may open tunnels, one a line' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l access-callout-url -d 'HTTP address that is asked whether somebody may open a tunnel' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l access-blocked -d 'Network that may do nothing; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l access-block-file -d 'File with more such networks, one a line' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l max-message -d 'Bytes of one message [default: 128KiB]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l max-messages -d 'Messages per side [default: 64]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l max-bytes -d 'Bytes per side in all [default: 1MiB]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l held -d 'Bytes held per direction beside one message; then the sender is not read [default: 64KiB]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l waiting -d 'Waiting for the second party [default: 90s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l life -d 'Life after pairing [default: 180s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l stall -d 'How long a side may take nothing of what it is sent [default: 10s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l opening -d 'TCP, TLS and the request\'s head together [default: 10s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l max-head -d 'Bytes of the request\'s head [default: 8KiB]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l ping -d 'Pause between pings [default: 20s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l missed-pings -d 'Unanswered pings in a row that close [default: 2]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l per-source-waiting -d 'Waiting tunnels per source (an IPv4 address or an IPv6 /64) [default: 64]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l per-source-total -d 'Connections per source [default: 128]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l per-source-rate -d 'New connections a second per source [default: 20]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l per-source-burst -d 'New connections at once per source, before the rate binds [default: 60]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l max-connections -d 'Connections in all; 9/10 of the descriptor limit if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l max-handshakes -d 'TLS handshakes at once' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l max-memory -d 'Memory beyond which no new tunnels are opened' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l drain -d 'What a drain may take; as long as the last tunnel may live if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l admin-listen -d 'Loopback address or unix:PATH for health, metrics and commands; none if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l log-format -d 'How lines are written: text or json [default: text]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l log-level -d 'How much is written: error, warn, info, debug or trace [default: info]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -l log-addresses -d 'Whether clients\' addresses are written: off, or truncated to their network [default: off]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l config -d 'Settings in TOML form; a flag or a variable (CABLECAR_RELAY_ and the flag in capitals) outranks it' -r -F
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l listen -d 'Where to listen: an address with a port, unix:PATH, or systemd for the sockets that it gives; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l plain -d 'No TLS: a proxy in front does it' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l domain-id -d 'Tunnel service domain id under which clients reach this relay' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l routing-id -d 'Routing id to give out, 6 hexadecimal digits; made from region, node and the start counter if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l region -d 'Region in the routing id, 0 to 63 [default: 0]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l node -d 'Node in the routing id, 0 to 1023; random if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l state-dir -d 'Folder for the start counter and the handover socket; without it each start is at random' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l allow-origin -d 'Host whose web pages may connect, beside the relay\'s own; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l exempt -d 'Network without limits per source, such as 192.0.2.0/24; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l tls-cert -d 'Certificate chain in PEM form, leaf first' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l tls-key -d 'Private key of the certificate in PEM form' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l acme-contact -d 'Where the authority may write to, such as mailto:admin@example.org; switches ACME on' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l acme-directory -d 'The authority\'s directory; Let\'s Encrypt\'s if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l acme-cache-dir -d 'Folder that keeps account and certificates' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l acme-ca-file -d 'Certificates in PEM form by which to know the authority; the well-known ones if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l proxy-trusted -d 'Network of the proxies in front, such as 10.0.0.0/8; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l proxy-protocol -d 'How they name the client: forwarded-for (the header X-Forwarded-For) or proxy-v1v2 [default: forwarded-for]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l access-open -d 'Who may open a tunnel: anyone, networks, token or callout [default: anyone]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l access-networks -d 'Network whose devices may open tunnels; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l access-token-file -d 'File with the bearer tokens that may open tunnels, one a line' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l access-callout-url -d 'HTTP address that is asked whether somebody may open a tunnel' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l access-blocked -d 'Network that may do nothing; may be repeated' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l access-block-file -d 'File with more such networks, one a line' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l max-message -d 'Bytes of one message [default: 128KiB]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l max-messages -d 'Messages per side [default: 64]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l max-bytes -d 'Bytes per side in all [default: 1MiB]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l held -d 'Bytes held per direction beside one message; then the sender is not read [default: 64KiB]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l waiting -d 'Waiting for the second party [default: 90s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l life -d 'Life after pairing [default: 180s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l stall -d 'How long a side may take nothing of what it is sent [default: 10s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l opening -d 'TCP, TLS and the request\'s head together [default: 10s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l max-head -d 'Bytes of the request\'s head [default: 8KiB]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l ping -d 'Pause between pings [default: 20s]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l missed-pings -d 'Unanswered pings in a row that close [default: 2]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l per-source-waiting -d 'Waiting tunnels per source (an IPv4 address or an IPv6 /64) [default: 64]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l per-source-total -d 'Connections per source [default: 128]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l per-source-rate -d 'New connections a second per source [default: 20]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l per-source-burst -d 'New connections at once per source, before the rate binds [default: 60]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l max-connections -d 'Connections in all; 9/10 of the descriptor limit if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l max-handshakes -d 'TLS handshakes at once' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l max-memory -d 'Memory beyond which no new tunnels are opened' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l drain -d 'What a drain may take; as long as the last tunnel may live if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l admin-listen -d 'Loopback address or unix:PATH for health, metrics and commands; none if absent' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l log-format -d 'How lines are written: text or json [default: text]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l log-level -d 'How much is written: error, warn, info, debug or trace [default: info]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -l log-addresses -d 'Whether clients\' addresses are written: off, or truncated to their network [default: off]' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from print" -s h -l help -d 'Print help'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "check" -d 'Say what would be served, or what is wrong with the settings'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "print" -d 'Print the effective settings as a file, each with its origin'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand config; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand domain; and not __fish_seen_subcommand_from find help" -l format -d 'How to print' -r -f -a "text\t'One host a line; after a search, behind its id'
json\t'One JSON object, or an array of them after a search'"
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand domain; and not __fish_seen_subcommand_from find help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand domain; and not __fish_seen_subcommand_from find help" -a "find" -d 'Search the possible hosts, or look one up'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand domain; and not __fish_seen_subcommand_from find help" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand domain; and __fish_seen_subcommand_from find" -l contains -d 'Only hosts whose label contains this text' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand domain; and __fish_seen_subcommand_from find" -l tld -d 'Only hosts in this top-level domain' -r -f -a "com\t''
org\t''
net\t''
info\t''"
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand domain; and __fish_seen_subcommand_from find" -l limit -d 'At most this many' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand domain; and __fish_seen_subcommand_from find" -l format -d 'How to print' -r -f -a "text\t'One host a line; after a search, behind its id'
json\t'One JSON object, or an array of them after a search'"
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand domain; and __fish_seen_subcommand_from find" -l shortest -d 'Shortest first, else by id'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand domain; and __fish_seen_subcommand_from find" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand domain; and __fish_seen_subcommand_from help" -f -a "find" -d 'Search the possible hosts, or look one up'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand domain; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand probe" -l format -d 'How to say what was found' -r -f -a "text\t'A line for each leg'
json\t'One JSON object'"
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand probe" -l ca-file -d 'Certificate authorities to believe instead of the system\'s' -r -F
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand probe" -l connect-to -d 'Dial ADDR:PORT instead of HOST:PORT' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand probe" -l token-file -d 'File with the token for opening tunnels, if the relay wants one' -r -F
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand probe" -l patience -d 'How long one leg may take' -r
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand probe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand completions" -s h -l help -d 'Print help'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand help; and not __fish_seen_subcommand_from serve admin config domain probe completions help" -f -a "serve" -d 'Run a relay until SIGTERM, which drains it, or SIGINT'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand help; and not __fish_seen_subcommand_from serve admin config domain probe completions help" -f -a "admin" -d 'Ask a running relay, or tell it something'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand help; and not __fish_seen_subcommand_from serve admin config domain probe completions help" -f -a "config" -d 'Check or print the settings, without serving'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand help; and not __fish_seen_subcommand_from serve admin config domain probe completions help" -f -a "domain" -d 'Name the hosts under which clients can reach a relay'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand help; and not __fish_seen_subcommand_from serve admin config domain probe completions help" -f -a "probe" -d 'Sign in through a relay, both devices played here, and time the legs'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand help; and not __fish_seen_subcommand_from serve admin config domain probe completions help" -f -a "completions" -d 'Print what a shell completes, for it to read'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand help; and not __fish_seen_subcommand_from serve admin config domain probe completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand help; and __fish_seen_subcommand_from admin" -f -a "status" -d 'Say how it is'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand help; and __fish_seen_subcommand_from admin" -f -a "drain" -d 'Open no more tunnels, and end with the last'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand help; and __fish_seen_subcommand_from admin" -f -a "loglevel" -d 'Log at another level until the next start'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand help; and __fish_seen_subcommand_from admin" -f -a "reload" -d 'Read certificates and lists again'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "check" -d 'Say what would be served, or what is wrong with the settings'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand help; and __fish_seen_subcommand_from config" -f -a "print" -d 'Print the effective settings as a file, each with its origin'
complete -c cablecar-relay -n "__fish_cablecar_relay_using_subcommand help; and __fish_seen_subcommand_from domain" -f -a "find" -d 'Search the possible hosts, or look one up'
