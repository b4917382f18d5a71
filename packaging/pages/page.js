// SPDX-License-Identifier: GPL-2.0
// The page, for Cockpit and for LuCI: mount(root, backend) fills an element and
// keeps it current. backend has
//   tool(words)                    Promise of what vpnpass -j WORDS printed
//   setMode(proto, mode)           Promise; now and for the next start
//   setSetting(proto, key, value)  Promise; the same
//   remedy(host, command)          Promise of what a command of the doctor's said
//   mayWrite()                     Promise of whether anything may be changed
//   translate(text)                the text in the user's language
import { texts, fill } from "./texts.js";
import { age, answer, bytes, host as hostOf, rows, valid } from "./model.js";

const EVERY_MS = 5000;
// rpcd ends what a program prints at 256 KiB
const SESSIONS_SHOWN = 100;
const MODES = ["on", "off", "block"];

function element(tag, attributes = {}, ...children) {
	const node = document.createElement(tag);

	for (const [name, value] of Object.entries(attributes))
		if (value !== false)
			node.setAttribute(name, value === true ? "" : value);
	node.append(...children);
	return node;
}

class Page {
	constructor(root, backend) {
		this.backend = backend;
		this.protos = new Map();
		this.may = false;
		this.commands = 0;
		this.changes = 0;
		this.root = element("div", { class: "vpnpass" });
		root.append(this.root);
		this.build();
	}

	t(key, ...values) {
		return fill(this.backend.translate(texts[key]), ...values);
	}

	build() {
		this.note = element("p", { role: "status", class: "vpnpass-note" }, this.t("loading"));
		this.alert = element("div", { role: "alert", class: "vpnpass-alert" });
		this.protoRows = element("tbody");
		this.settings = element("div");
		this.sessionRows = element("tbody");
		this.sessionNote = element("p");
		this.sessionTable = this.table(["protocol", "client", "gateway", "age", "traffic",
			"session_state"], this.sessionRows, "sessions");
		this.dialog = element("dialog", { "aria-labelledby": "vpnpass-confirm" });
		this.root.append(
			element("h1", {}, this.t("title")),
			element("p", {}, this.t("lead")),
			this.note, this.alert,
			this.section("switches",
				this.table(["protocol", "state", "sessions_now"], this.protoRows, "switches"),
				element("details", {}, element("summary", {}, this.t("settings")), this.settings)),
			this.section("sessions", this.sessionNote, this.sessionTable),
			this.section("doctor", ...this.doctorForm()),
			this.dialog);
	}

	section(key, ...children) {
		const id = `vpnpass-${key}`;

		return element("section", { "aria-labelledby": id },
			element("h2", { id }, this.t(key)), ...children);
	}

	table(heads, body, label) {
		return element("table", { "aria-label": this.t(label) },
			element("thead", {}, element("tr", {},
				...heads.map((h) => element("th", { scope: "col" }, this.t(h))))),
			body);
	}

	say(text) {
		this.note.textContent = text;
	}

	// An error stays until something else is done; the same one is not said again.
	complain(error) {
		const text = error ? this.t("failed", error.message || String(error)) : "";

		if (this.alert.dataset.text === text)
			return;
		this.alert.dataset.text = text;
		this.alert.replaceChildren();
		if (!text)
			return;
		this.alert.append(element("p", {}, text));
		if (error.hint)
			this.alert.append(element("p", {}, this.t("hint", error.hint)));
	}

	// ---- protocols ----

	name(proto) {
		return proto in texts ? this.t(proto) : proto;
	}

	protoRow(p) {
		const group = `vpnpass-mode-${p.proto}`;
		const row = { radios: {}, count: element("td", { "data-label": this.t("sessions_now") }),
			extra: element("span", { class: "vpnpass-extra" }) };
		const choices = MODES.map((mode) => {
			row.radios[mode] = element("input", { type: "radio", name: group, value: mode });
			row.radios[mode].addEventListener("change", () => this.switchTo(p.proto, mode));
			return element("label", {}, row.radios[mode], this.t(mode));
		});

		row.fieldset = element("fieldset", {},
			element("legend", { class: "vpnpass-hidden" }, this.name(p.proto)), ...choices,
			row.extra);
		row.tr = element("tr", { class: p.part ? "vpnpass-part" : "", "data-proto": p.proto },
			element("th", { scope: "row" }, this.name(p.proto),
				element("small", {}, this.t(`${p.proto}_means` in texts ? `${p.proto}_means`
					: "other_means"))),
			element("td", { "data-label": this.t("state") }, row.fieldset), row.count);
		return row;
	}

	showProtos(show) {
		const list = rows(show);

		for (const proto of this.protos.keys())
			if (!list.some((p) => p.proto === proto))
				this.dropProto(proto);
		for (const p of list) {
			if (!this.protos.has(p.proto))
				this.addProto(p);
			this.updateProto(this.protos.get(p.proto), p);
		}
		const wanted = list.map((p) => this.protos.get(p.proto).tr);
		if (wanted.some((tr, i) => this.protoRows.children[i] !== tr))
			this.protoRows.append(...wanted);
	}

	addProto(p) {
		const row = this.protoRow(p);

		row.fields = this.settingFields(p);
		if (row.fields)
			this.settings.append(row.fields.form);
		this.protos.set(p.proto, row);
	}

	dropProto(proto) {
		const row = this.protos.get(proto);

		row.tr.remove();
		row.fields?.form.remove();
		this.protos.delete(proto);
	}

	updateProto(row, p) {
		row.mode = p.mode;
		row.count.textContent = p.sessions ?? "-";
		row.extra.textContent = p.mode === "mixed" ? this.t("mixed") : "";
		if (row.busy)
			return;
		row.fieldset.disabled = !this.may;
		for (const mode of MODES)
			row.radios[mode].checked = mode === p.mode;
		row.fields?.update(p.settings);
	}

	async switchTo(proto, mode) {
		const row = this.protos.get(proto);

		row.busy = true;
		row.fieldset.disabled = true;
		this.changes++;
		await this.attempt(() => this.backend.setMode(proto, mode),
			() => this.t("changed", this.name(proto), this.t(mode)));
		this.changes++;
		row.busy = false;
		await this.look();
		if (document.activeElement === document.body)
			row.radios[mode].focus();
	}

	// ---- settings ----

	settingFields(p) {
		const names = Object.keys(p.settings ?? {});

		if (!names.length)
			return null;
		const inputs = {}, form = element("form", {});
		const list = names.map((key) => this.settingField(p, key, inputs));

		form.append(element("h3", {}, this.t("settings_of", this.name(p.proto))), ...list,
			element("button", { type: "submit" }, this.t("save")));
		form.addEventListener("submit", (event) => {
			event.preventDefault();
			this.saveSettings(p.proto, inputs);
		});
		const update = (settings) => {
			form.lastChild.disabled = !this.may;
			for (const [key, input] of Object.entries(inputs)) {
				input.setting = settings[key] ?? input.setting;
				input.disabled = !this.may;
				if (document.activeElement !== input && input.value === input.shown)
					input.value = input.shown = String(input.setting.value ?? "");
			}
		};
		return { form, update };
	}

	settingField(p, key, inputs) {
		const s = p.settings[key], id = `vpnpass-${p.proto}-${key}`;
		const input = inputs[key] = element("input", { id, inputmode: "numeric",
			"aria-describedby": `${id}-range` });

		input.setting = s;
		input.value = input.shown = String(s.value ?? "");
		return element("div", { class: "vpnpass-field" },
			element("label", { for: id }, key), input,
			element("span", { id: `${id}-range` },
				`${s.unit ? s.unit + ": " : ""}${this.t("range", s.min, s.max, s.default)}`));
	}

	async saveSettings(proto, inputs) {
		for (const [key, input] of Object.entries(inputs)) {
			if (input.value === input.shown)
				continue;
			const value = valid(input.setting, input.value);

			input.setAttribute("aria-invalid", String(value === null));
			if (value === null) {
				this.complain(new Error(this.t("out_of_range", key, input.setting.min,
					input.setting.max)));
				input.focus();
				return;
			}
			if (!await this.attempt(() => this.backend.setSetting(proto, key, value),
				() => this.t("setting_changed", this.name(proto), key, value)))
				return;
			input.shown = input.value;
		}
		await this.look();
	}

	// ---- sessions ----

	// those that the user may see, or null; and how many there are
	showSessions(visible, count) {
		const list = visible ?? [];
		const hidden = list.length < SESSIONS_SHOWN ? 0 : count - list.length;
		const cell = (label, text) => element("td", { "data-label": this.t(label) }, text ?? "-");

		this.sessionTable.hidden = !list.length;
		this.sessionNote.textContent = !visible ? this.t("hidden_sessions") :
			hidden > 0 ? this.t("more_sessions", list.length, hidden) :
			list.length ? "" : this.t("no_sessions");
		this.sessionRows.replaceChildren(...list.map((s) => element("tr", {},
			element("th", { scope: "row" }, this.name(s.proto ?? "-")),
			cell("client", s.client), cell("gateway", s.peer), cell("age", age(s.age)),
			cell("traffic", `${bytes(s.bytes_out)} / ${bytes(s.bytes_in)}`),
			cell("session_state", s.state))));
	}

	// ---- doctor ----

	doctorForm() {
		const input = element("input", { id: "vpnpass-host", autocomplete: "off",
			spellcheck: "false" });
		const button = element("button", { type: "submit" }, this.t("doctor_run"));
		const form = element("form", { class: "vpnpass-doctor" },
			element("label", { for: "vpnpass-host" }, this.t("doctor_host")), input, button);

		this.doctorNote = element("p", { role: "status" });
		this.findings = element("div");
		form.addEventListener("submit", async (event) => {
			event.preventDefault();
			button.disabled = true;
			await this.examine(input);
			button.disabled = false;
		});
		return [element("p", {}, this.t("doctor_lead")), form, this.doctorNote, this.findings];
	}

	async examine(input) {
		const host = input.value.trim() ? hostOf(input.value) : "";

		input.setAttribute("aria-invalid", String(host === null));
		if (host === null) {
			input.focus();
			return;
		}
		this.findings.replaceChildren();
		this.doctorNote.textContent = this.t("doctor_busy");
		try {
			const found = answer(await this.backend.tool(host ? ["doctor", host] : ["doctor"]));

			this.complain(null);
			this.doctorNote.textContent = !found.length ? this.t("nothing_found") :
				found.length === 1 ? this.t("found_one") : this.t("found_many", found.length);
			this.findings.replaceChildren(...found.map((f) => this.finding(f, host, input)));
		} catch (error) {
			this.doctorNote.textContent = "";
			this.complain(error);
		}
	}

	finding(f, host, input) {
		const list = element("dl");
		const add = (key, text) => text && list.append(element("dt", {}, this.t(key)),
			element("dd", {}, text));

		add("seen", f.seen);
		add("meaning", f.meaning);
		add("advice", f.do);
		const commands = (f.commands ?? []).map((command) => {
			// several findings may have the same name
			const id = `vpnpass-command-${this.commands++}`;
			const button = element("button", { type: "button", "aria-describedby": id,
				disabled: !this.may }, this.t("run_command"));

			button.addEventListener("click", () => this.remedy(host, command, input));
			return element("div", { class: "vpnpass-command" }, element("code", { id }, command),
				button);
		});
		return element("article", { class: `vpnpass-${f.severity}`, "data-finding": f.finding },
			element("h3", {}, `${this.t(`severity_${f.severity}`)}: ${f.finding}`), list,
			...commands);
	}

	async remedy(host, command, input) {
		if (!await this.confirm(command))
			return;
		if (await this.attempt(() => this.backend.remedy(host, command), (said) =>
			said.trim() ? this.t("command_said", said.trim()) : this.t("command_done")))
			await this.examine(input);
	}

	confirm(command) {
		const yes = element("button", { value: "yes" }, this.t("yes_run"));
		const no = element("button", { value: "no" }, this.t("no_run"));

		this.dialog.returnValue = "";
		this.dialog.replaceChildren(element("form", { method: "dialog" },
			element("h2", { id: "vpnpass-confirm" }, this.t("confirm")),
			element("p", {}, this.t("confirm_what")), element("code", {}, command),
			element("div", { class: "vpnpass-buttons" }, yes, no)));
		this.dialog.showModal();
		no.focus();
		return new Promise((resolve) => this.dialog.addEventListener("close",
			() => resolve(this.dialog.returnValue === "yes"), { once: true }));
	}

	// ---- keeping it current ----

	async attempt(what, done) {
		try {
			const result = await what();

			this.complain(null);
			this.say(done(result ?? ""));
			return true;
		} catch (error) {
			this.complain(error);
			return false;
		}
	}

	// The sessions, or null where this user may not see them.
	async visible(sessions) {
		try {
			return answer(await sessions);
		} catch (error) {
			if (this.may || error.code !== "permission")
				throw error;
			return null;
		}
	}

	// What the page shows is what the kernel says, also after a change.
	async look() {
		const changes = this.changes;

		try {
			const show = this.backend.tool(["show"]);
			const sessions = this.backend.tool(["session", "limit", String(SESSIONS_SHOWN)]);

			// it is waited for later, if at all
			sessions.catch(() => {});
			this.may = await this.backend.mayWrite();
			const protos = answer(await show);
			// an answer may be older than a change that was made meanwhile
			if (changes === this.changes)
				this.showProtos(protos);
			this.showSessions(await this.visible(sessions),
				protos.reduce((sum, p) => sum + (p.sessions ?? 0), 0));
			if (this.note.textContent === this.t("loading") || !this.may)
				this.say(this.may ? "" : this.t("read_only"));
			if (this.lookFailed)
				this.complain(null);
			this.lookFailed = false;
		} catch (error) {
			this.say("");
			this.lookFailed = true;
			this.complain(error);
		}
	}

	// One look in five seconds, none while nobody looks at the page.
	async follow() {
		let last = 0, timer = null, running = false;
		const next = () => {
			clearTimeout(timer);
			if (document.hidden || running || !this.root.isConnected && last)
				return;
			timer = setTimeout(look, Math.max(0, last + EVERY_MS - Date.now()));
		};
		const look = async () => {
			running = true;
			last = Date.now();
			await this.look();
			running = false;
			next();
		};

		document.addEventListener("visibilitychange", next);
		next();
	}
}

export function mount(root, backend) {
	const page = new Page(root, backend);

	page.follow();
	return page;
}
