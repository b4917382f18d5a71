// SPDX-License-Identifier: GPL-2.0
// What the pages make of the tool's JSON (docs/schema); no page is needed for it.

const ORDER = ["pptp", "l2tp", "ipsec", "ike", "esp", "natt"];
const PARTS = ["ike", "esp"];

// An answer that is an error, or a list that ends with one.
export class ToolError extends Error {
	constructor(error) {
		super(error.text);
		this.code = error.code;
		this.hint = error.hint;
	}
}

// answer(text): what -j printed, or a ToolError thrown
export function answer(text) {
	const value = JSON.parse(text);
	const last = Array.isArray(value) ? value[value.length - 1] : value;

	if (last && last.error && last.error.text)
		throw new ToolError(last.error);
	return value;
}

// rows(show): the protocols in the order of the page, with ike and esp as one in
// front of them: { proto, mode, sessions, settings, part }
export function rows(show) {
	const list = show.map((p) => ({ ...p, part: PARTS.includes(p.proto) }));
	const parts = list.filter((p) => p.part);

	if (parts.length === PARTS.length)
		list.push({
			proto: "ipsec",
			mode: parts[0].mode === parts[1].mode ? parts[0].mode : "mixed",
			sessions: parts.reduce((sum, p) => sum + (p.sessions ?? 0), 0),
			settings: {},
			part: false,
		});
	const rank = (p) => (ORDER.indexOf(p.proto) + 1 || ORDER.length + 1);
	return list.sort((a, b) => rank(a) - rank(b));
}

// valid(setting, text): the number, or null if the setting cannot have it
export function valid(setting, text) {
	const value = /^\d+$/.test(text.trim()) ? Number(text) : NaN;

	if (!(value >= (setting.min ?? 0) && value <= (setting.max ?? 4294967295)))
		return null;
	return value;
}

export function age(seconds) {
	if (seconds === undefined)
		return "-";
	const s = Math.floor(seconds), two = (n) => String(n).padStart(2, "0");

	if (s < 60)
		return `${s}s`;
	if (s < 3600)
		return `${Math.floor(s / 60)}m${two(s % 60)}s`;
	if (s < 86400)
		return `${Math.floor(s / 3600)}h${two(Math.floor(s / 60) % 60)}m`;
	return `${Math.floor(s / 86400)}d${two(Math.floor(s / 3600) % 24)}h`;
}

export function bytes(n) {
	if (n === undefined)
		return "-";
	const units = ["B", "KiB", "MiB", "GiB", "TiB"];
	let i = 0;

	for (; n >= 999.5 && i < units.length - 1; i++)
		n /= 1024;
	return `${n < 9.95 && i ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

// host(text): a name or an address that may be asked about, or null; never an option
export function host(text) {
	const word = text.trim();

	return /^[0-9A-Za-z][0-9A-Za-z.:_-]{0,252}$|^::[0-9A-Fa-f:.]*$/.test(word) ? word : null;
}
