# SPDX-License-Identifier: MIT
# tundctl's words for bash-completion. The commands are those of `tundctl help`,
# which a test compares. Whoever has a network namespace names devices in it as
# he likes: compgen -W, which runs what is in its words, gets none but our own.

# Those of plain ASCII that are no option.
_tundctl_devices()
{
	tundctl list -j 2>/dev/null |
		LC_ALL=C grep -o '"name":"\([^"\\]\|\\["\\]\)*"' |
		LC_ALL=C sed -n 's/^"name":"\([!-,.-~][ -~]*\)"$/\1/; T
			s/\\\(.\)/\1/g; p'
}

_tundctl_namespaces()
{
	command ls /run/netns 2>/dev/null |
		LC_ALL=C sed -n '/^[!-,.-~][ -~]*$/p'
}

# From COMP_WORDS: sets typed, and open to the quote that is not closed.
_tundctl_unquote()
{
	local i c

	typed='' open=''
	for ((i = 0; i < ${#1}; i++)); do
		c=${1:i:1}
		case $open$c in
		\\ | \"\\)
			i=$((i + 1))
			typed+=${1:i:1} ;;
		\' | \")
			open=$c ;;
		\'\' | \"\")
			open='' ;;
		*)
			typed+=$c ;;
		esac
	done
}

# Offers the names that are read, such that the shell takes them as they are.
_tundctl_offer()
{
	local name typed open

	_tundctl_unquote "$cur"
	# What is offered takes the place of what is behind the quote.
	[[ $cur == "$open"* ]] || return
	while IFS= read -r name; do
		[[ $name == "$typed"* ]] || continue
		# readline would take the last one for its end.
		[[ $name != *"${open:-/}" ]] || continue
		case $open in
		\')
			name=${name//\'/\'\\\'\'} ;;
		\")
			# History works there, and nothing hinders it.
			[[ $name != *!* ]] || continue
			name=${name//\\/\\\\}
			name=${name//\"/\\\"}
			name=${name//\$/\\\$}
			name=${name//\`/\\\`} ;;
		*)
			printf -v name %q "$name" ;;
		esac
		COMPREPLY+=("$name")
	done
}

_tundctl_offer_devices()
{
	_tundctl_offer < <(_tundctl_devices)
}

# compgen's, which readline quotes.
_tundctl_offer_files()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

_tundctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local commands='status list show up down stats clients monitor metrics
		capture policy reload tuntap run doctor snippet help'
	local options='--control --json --help' words=''

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen \
			-W "$commands --help --version" -- "$cur")
		return
	fi
	case $prev in
	--control | --textfile | --device | --log | --write | -w)
		_tundctl_offer_files -f
		return ;;
	--netns)
		[ "${COMP_WORDS[1]}" != policy ] || [[ host != "$cur"* ]] ||
			COMPREPLY=(host)
		_tundctl_offer < <(_tundctl_namespaces)
		return ;;
	--uid | --gid | --user)
		mapfile -t COMPREPLY < <(compgen \
			-A "$([ "$prev" = --gid ] && echo group || echo user)" \
			-- "$cur")
		return ;;
	--kind)
		mapfile -t COMPREPLY < <(compgen -W 'tun tap' -- "$cur")
		return ;;
	--plane)
		words='direct file'
		[ "${COMP_WORDS[1]}" != run ] || words+=' auto'
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
		return ;;
	esac
	case ${COMP_WORDS[1]} in
	status | list | clients | monitor | reload)
		words=$options ;;
	show | up | down | stats)
		words="$options --netns"
		[[ $cur == -* ]] || words='' ;;
	metrics)
		words='--control --textfile --help' ;;
	capture)
		words='--control --netns --write --filter --count --snaplen
			--ring --quiet --help'
		[[ $cur == -* ]] || words='' ;;
	policy)
		words="$options --uid --gid --netns --kind --plane"
		[[ $cur == -* ]] || words=check ;;
	tuntap)
		words='add del show list dev mode tun tap user group one_queue
			pi vnet_hdr multi_queue --device --statistics --help' ;;
	run)
		words='--device --plane --log --help'
		if [[ $cur != -* ]]; then
			_tundctl_offer_files -c
			return
		fi ;;
	doctor)
		words='--pid --container --device --json --help' ;;
	snippet)
		words='--device --user --name --help'
		[[ $cur == -* ]] || words='docker podman compose kubernetes
			systemd nspawn lxc openvpn policy' ;;
	help)
		words=$commands ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	case ${COMP_WORDS[1]} in
	show | up | down | stats | capture | policy)
		[[ $cur == -* ]] || _tundctl_offer_devices ;;
	esac
}

complete -F _tundctl tundctl
