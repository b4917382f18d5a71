// SPDX-License-Identifier: GPL-2.0
// Every text of the pages, in one place for whoever translates. {0}, {1} stand for
// what is filled in. luci/make-pot makes LuCI's template of it.

export const texts = {
	title: "VPN passthrough",
	lead: "VPNs that network address translation would break are helped through this router. “Off” is plain translation, as if this were not installed; “Block” drops the protocol both ways.",
	loading: "Asking the router …",
	switches: "Protocols",
	protocol: "Protocol",
	state: "State",
	sessions_now: "Sessions now",
	on: "On",
	off: "Off",
	block: "Block",
	mixed: "IKE and ESP differ",
	not_loaded: "not loaded",
	changed: "{0} is {1} now.",
	setting_changed: "{0}: {1} is {2} now.",
	read_only: "You may look, but not change anything here.",

	pptp: "PPTP",
	pptp_means: "The old VPN of Windows. It is broken as cryptography.",
	l2tp: "L2TP",
	l2tp_means: "L2TP without IPsec, and L2TPv3.",
	ipsec: "IPsec",
	ipsec_means: "IKE and ESP together: what most people mean by IPsec passthrough.",
	ike: "IKE",
	ike_means: "The key exchange of IPsec, UDP port 500.",
	natt: "NAT-T",
	natt_means: "IPsec in UDP, port 4500. It needs no help; block it only to forbid it.",
	esp: "ESP",
	esp_means: "The packets of IPsec where NAT-T is not used.",
	other_means: "A protocol of a newer module.",

	settings: "Advanced settings",
	settings_of: "Settings of {0}",
	range: "{0} to {1}, default {2}",
	save: "Save",
	out_of_range: "{0} has to be a number from {1} to {2}.",

	sessions: "Sessions",
	no_sessions: "No VPN goes through at the moment.",
	more_sessions: "{0} are shown, and there are {1} more.",
	hidden_sessions: "Who goes through is shown to administrators.",
	client: "Client",
	gateway: "Gateway",
	age: "Since",
	traffic: "Out / in",
	session_state: "State",

	doctor: "Why does my VPN not connect?",
	doctor_lead: "Try to connect first, then ask. Without a gateway everything is looked at.",
	doctor_host: "Name or address of the VPN gateway",
	doctor_run: "Find out",
	doctor_busy: "Looking at the firewall, the connections and the routes …",
	nothing_found: "Nothing was found that keeps a VPN from connecting.",
	found_one: "1 finding, worst first.",
	found_many: "{0} findings, worst first.",
	severity_error: "Fault",
	severity_warning: "Warning",
	severity_info: "Good to know",
	seen: "Seen",
	meaning: "What it means",
	advice: "What to do",
	run_command: "Run this command",
	confirm: "Run this command on the router?",
	confirm_what: "It does what it says and nothing else:",
	yes_run: "Run it",
	no_run: "Do not",
	command_done: "The command was run.",
	command_said: "The command was run and said: {0}",

	failed: "That did not work: {0}",
	hint: "What helps: {0}",
	not_taken: "The router has not taken the change over: {0} is still {1}.",
};

// fill(text, values...): the text with {0}, {1} ... filled in
export function fill(text, ...values) {
	return text.replace(/\{(\d)\}/g, (whole, n) => values[n] ?? whole);
}
