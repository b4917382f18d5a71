// SPDX-License-Identifier: GPL-2.0
/*
 * Findings of the checks, printed worst first.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

/**
 * found - Report a finding, behind those that are as bad.
 * @r: The report.
 * @code: Stable name of what was found, static.
 * @severity: How bad it is.
 * @proto: The protocol that it concerns, NULL for several or none; static or
 *         as long-lived as the evidence.
 * @seen: The evidence, from xasprintf(); taken over.
 * @advice: What to do, likewise.
 *
 * Return: the finding, until the next one is reported.
 */
struct finding *found(struct report *r, const char *code, enum severity severity,
		      const char *proto, char *seen, char *advice)
{
	size_t at = r->n_findings;

	r->findings = xgrow(r->findings, r->n_findings, sizeof(*r->findings));
	for (; at && r->findings[at - 1].severity > severity; at--)
		r->findings[at] = r->findings[at - 1];
	r->findings[at] = (struct finding){
		.code = code, .severity = severity, .proto = proto, .seen = seen, .advice = advice,
	};
	r->n_findings++;
	return &r->findings[at];
}

/**
 * finding_command - Add a command that cures it.
 * @f: The finding.
 * @command: One line for a shell, from xasprintf(); taken over.
 */
void finding_command(struct finding *f, char *command)
{
	f->commands = xgrow(f->commands, f->n_commands, sizeof(*f->commands));
	f->commands[f->n_commands++] = command;
}

/**
 * not_examined - Note that something could not be looked at.
 * @r: The report.
 * @fmt: What and why, as for printf().
 */
void not_examined(struct report *r, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	r->notes = xgrow(r->notes, r->n_notes, sizeof(*r->notes));
	r->notes[r->n_notes++] = text;
}

/**
 * report_refused - Note that the kernel would not tell something.
 * @r: The report.
 * @what: What was asked for.
 * @error: The negative errno.
 */
void report_refused(struct report *r, const char *what, int error)
{
	r->refused = true;
	not_examined(r, "%s: %s%s", what, strerror(-error),
		     error == -EPERM ? " (try it as root)" : "");
}

/**
 * say_all - Join the parts of a text, see SAY().
 * @parts: Up to a NULL.
 *
 * Return: the text, with a space between two parts; freed by the caller.
 */
char *say_all(const char *const *parts)
{
	char *text = xstrdup(*parts), *longer;

	while (*++parts) {
		longer = xasprintf("%s %s", text, *parts);
		free(text);
		text = longer;
	}
	return text;
}

static const char *severity_name(enum severity severity)
{
	static const char *const names[] = { "error", "warning", "info" };

	return names[severity];
}

/* Advice in one text: the advice, and those commands that it does not have. */
static char *whole_advice(const struct finding *f)
{
	char *text = xstrdup(f->advice), *longer;
	const char *joint = " ";
	size_t i;

	for (i = 0; i < f->n_commands; i++) {
		if (strstr(f->advice, f->commands[i]))
			continue;
		longer = xasprintf("%s%s%s", text, joint, f->commands[i]);
		free(text);
		text = longer;
		joint = " && ";
	}
	return text;
}

/* While somebody watches, each is an event. */
static void begin_object(struct out *o, struct context *watching)
{
	out_object(o, NULL);
	if (!watching)
		return;
	out_string(o, "event", NULL, "finding");
	stamp_json(watching, stamp_now());
}

static void json_finding(struct out *o, const struct finding *f, struct context *watching)
{
	char *advice = whole_advice(f);
	size_t i;

	begin_object(o, watching);
	out_string(o, "finding", NULL, f->code);
	out_string(o, "id", NULL, f->code);
	out_string(o, "severity", NULL, severity_name(f->severity));
	out_string(o, "proto", NULL, f->proto);
	out_string(o, "seen", NULL, f->seen);
	out_string(o, "meaning", NULL, meaning_of(f->code));
	out_string(o, "do", NULL, advice);
	out_list(o, "commands");
	for (i = 0; i < f->n_commands; i++)
		out_item(o, f->commands[i]);
	out_list_end(o);
	out_object_end(o);
	free(advice);
}

/**
 * finding_print - Print one.
 * @o: Output.
 * @f: The finding.
 * @watching: Context of who watches, NULL for nobody.
 */
void finding_print(struct out *o, const struct finding *f, struct context *watching)
{
	char stamp[STAMP_SIZE] = "";
	size_t i;

	if (watching)
		stamp_text(stamp, watching->stamp, stamp_now());
	json_finding(o, f, watching);
	out_line(o, 0, "%s%s%s: %s%s%s%s", stamp, watching ? " " : "", severity_name(f->severity),
		 f->code, f->proto ? " (" : "", f->proto ? f->proto : "", f->proto ? ")" : "");
	out_line(o, 4, "Seen: %s", f->seen);
	out_line(o, 4, "Means: %s", meaning_of(f->code));
	out_line(o, 4, "Do: %s", f->advice);
	for (i = 0; i < f->n_commands; i++)
		if (!strstr(f->advice, f->commands[i]))
			out_verbatim(o, 8, f->commands[i]);
}

/* The last of the list, so that whoever reads the JSON alone learns of it too. */
static void json_not_examined(struct out *o, const struct report *r, struct context *watching)
{
	size_t i;

	if (!r->n_notes)
		return;
	begin_object(o, watching);
	out_string(o, "finding", NULL, "not-examined");
	out_string(o, "id", NULL, "not-examined");
	out_string(o, "severity", NULL, severity_name(SEVERITY_INFO));
	out_string(o, "seen", NULL, r->notes[0]);
	out_string(o, "meaning", NULL, meaning_of("not-examined"));
	out_string(o, "do", NULL, r->refused ? "Run it again as root." :
		   "If a VPN fails all the same, have somebody look at these by hand.");
	out_list(o, "commands");
	out_list_end(o);
	out_list(o, "not_examined");
	for (i = 0; i < r->n_notes; i++)
		out_item(o, r->notes[i]);
	out_list_end(o);
	out_object_end(o);
}

/**
 * notes_print - Print what could not be examined, and JSON also to the output.
 * @r: The report.
 * @o: Output.
 * @watching: As in finding_print().
 */
void notes_print(const struct report *r, struct out *o, struct context *watching)
{
	size_t i;

	json_not_examined(o, r, watching);
	out_flush(o);
	for (i = 0; i < r->n_notes; i++)
		complain("not examined: %s", r->notes[i]);
}

/**
 * report_print - Print the findings to the output, the notes to stderr.
 * @r: The report.
 * @o: Output.
 */
void report_print(struct report *r, struct out *o)
{
	size_t i;

	out_list(o, NULL);
	for (i = 0; i < r->n_findings; i++)
		finding_print(o, &r->findings[i], NULL);
	json_not_examined(o, r, NULL);
	out_list_end(o);
	if (!r->n_findings)
		out_line(o, 0, r->n_notes ? "Nothing found in what could be examined." :
					    "Nothing found.");
	out_flush(o);
	for (i = 0; i < r->n_notes; i++)
		complain("not examined: %s", r->notes[i]);
}

/**
 * report_free - Forget it.
 * @r: The report.
 */
void report_free(struct report *r)
{
	size_t i, k;

	for (i = 0; i < r->n_findings; i++) {
		for (k = 0; k < r->findings[i].n_commands; k++)
			free(r->findings[i].commands[k]);
		free(r->findings[i].commands);
		free(r->findings[i].seen);
		free(r->findings[i].advice);
	}
	for (i = 0; i < r->n_notes; i++)
		free(r->notes[i]);
	free(r->findings);
	free(r->notes);
}
