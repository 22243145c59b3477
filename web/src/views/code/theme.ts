// How code looks: our tokens, which know both themes by themselves.

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import "./code.css";

const look = EditorView.theme({
  "&": { color: "var(--fg)", backgroundColor: "var(--bg)", fontSize: "12.5px", height: "100%" },
  "&.cm-focused": { outline: "none" },
  "&.cm-focused:focus-within .cm-content:focus-visible": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "20px", overflow: "auto" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--fg)" },
  ".cm-line": { padding: "0 12px 0 8px" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--fg)", borderLeftWidth: "1.5px" },
  ".cm-gutters": { backgroundColor: "var(--bg)", color: "var(--fg-muted)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 8px 0 14px", minWidth: "40px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--code-line)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 24%, transparent)",
  },
  ".cm-selectionMatch, .cm-searchMatch": { backgroundColor: "var(--code-found)", borderRadius: "2px" },
  ".cm-searchMatch-selected": { outline: "1px solid var(--warn)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "transparent", outline: "1px solid var(--border-strong)" },
  ".cm-foldPlaceholder": {
    backgroundColor: "var(--bg-hover)",
    border: "1px solid var(--border)",
    color: "var(--fg-muted)",
    padding: "0 6px",
  },
});

const floating = EditorView.theme({
  ".cm-tooltip": {
    backgroundColor: "var(--bg-raised)",
    color: "var(--fg)",
    border: "1px solid var(--border)",
    borderRadius: "8px",
    boxShadow: "0 8px 28px -6px var(--shadow), 0 2px 6px -2px var(--shadow)",
    fontFamily: "var(--font-sans)",
    fontSize: "12.5px",
    zIndex: "40",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    fontFamily: "var(--font-mono)",
    fontSize: "12px",
    maxHeight: "260px",
    padding: "4px",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 8px", borderRadius: "5px", lineHeight: "20px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--bg-selected)", color: "var(--fg)" },
  ".cm-completionMatchedText": { textDecoration: "none", color: "var(--accent)", fontWeight: "600" },
  ".cm-completionDetail": { color: "var(--fg-muted)", fontStyle: "normal", fontSize: "11.5px", marginLeft: "10px" },
  ".cm-tooltip.cm-completionInfo": { padding: "8px 10px", maxWidth: "340px", margin: "0 4px" },
  ".cm-tooltip-hover": { maxWidth: "min(440px, 90vw)" },
  ".cm-doc": { padding: "8px 10px", lineHeight: "18px" },
  ".cm-doc code": { fontFamily: "var(--font-mono)", fontSize: "0.94em" },
  ".cm-doc-type": { color: "var(--fg-muted)" },
  ".cm-panels": { backgroundColor: "var(--bg-sunken)", color: "var(--fg)", zIndex: "5" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--border)" },
  ".cm-panels.cm-panels-bottom": { borderTop: "1px solid var(--border)" },
  ".cm-panel.cm-search": { padding: "6px 30px 6px 10px", fontFamily: "var(--font-sans)", fontSize: "12.5px" },
  ".cm-textfield": {
    backgroundColor: "var(--bg-raised)",
    border: "1px solid var(--border-strong)",
    borderRadius: "5px",
    padding: "3px 6px",
    fontSize: "12.5px",
  },
  ".cm-button": {
    backgroundImage: "none",
    backgroundColor: "var(--bg-raised)",
    border: "1px solid var(--border-strong)",
    borderRadius: "5px",
    padding: "3px 8px",
    fontSize: "12.5px",
  },
  ".cm-panel.cm-search [name=close]": { color: "var(--fg-muted)", fontSize: "18px", right: "8px", top: "4px" },
});

const problems = EditorView.theme({
  ".cm-diagnostic": { padding: "6px 10px 6px 12px", borderLeft: "none", whiteSpace: "pre-wrap", lineHeight: "18px" },
  ".cm-diagnostic-error": { boxShadow: "inset 3px 0 var(--danger)" },
  ".cm-diagnostic-warning": { boxShadow: "inset 3px 0 var(--warn)" },
  ".cm-diagnosticHelp": { color: "var(--fg-muted)", display: "block" },
  // The package draws squiggles as `data:` images, which our content security policy forbids.
  ".cm-lintRange-error, .cm-lintRange-warning": {
    backgroundImage: "none",
    textDecorationLine: "underline",
    textDecorationStyle: "wavy",
    textDecorationSkipInk: "none",
    textDecorationThickness: "1px",
    textUnderlineOffset: "3px",
  },
  ".cm-lintRange-error": { textDecorationColor: "var(--danger)" },
  ".cm-lintRange-warning": { textDecorationColor: "var(--warn)" },
  ".cm-lintPoint:after": { borderBottomColor: "var(--danger)" },
  ".cm-lintPoint-warning:after": { borderBottomColor: "var(--warn)" },
  ".cm-gutter-lint": { width: "14px" },
  ".cm-gutter-lint .cm-gutterElement": { padding: "0 2px" },
  ".cm-lint-marker": { content: "normal", width: "8px", height: "8px", margin: "6px 0 0 2px" },
  ".cm-lint-marker-error": { content: "normal", backgroundColor: "var(--danger)", transform: "rotate(45deg)" },
  ".cm-lint-marker-warning": { content: "normal", backgroundColor: "var(--warn)", borderRadius: "50%" },
});

const changes = EditorView.theme({
  "&.cm-merge-b .cm-changedLine, .cm-insertedLine, .cm-inlineChangedLine": { backgroundColor: "var(--code-added)" },
  "&.cm-merge-a .cm-changedLine, .cm-deletedChunk, .cm-deletedLine": { backgroundColor: "var(--code-removed)" },
  "&.cm-merge-b .cm-changedText, .cm-insertedLine .cm-changedText, &.cm-merge-b .cm-deletedText": {
    background: "var(--code-added-strong)",
  },
  "&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText": {
    background: "var(--code-removed-strong)",
  },
  ".cm-deletedChunk": { paddingLeft: "8px" },
  ".cm-deletedChunk del, .cm-insertedLine ins, .cm-insertedLine": { textDecoration: "none" },
  "&.cm-merge-a .cm-changedLineGutter, .cm-deletedLineGutter": { background: "var(--danger)" },
  "&.cm-merge-b .cm-changedLineGutter": { background: "var(--ok)" },
  ".cm-changeGutter": { width: "3px", paddingLeft: "0" },
  ".cm-collapsedLines": {
    background: "var(--bg-sunken)",
    color: "var(--fg-muted)",
    padding: "3px 12px",
    fontFamily: "var(--font-sans)",
    fontSize: "12px",
    borderBlock: "1px solid var(--border)",
    // The package's signs are in few fonts.
    "&:before": { content: '"↕"' },
    "&:after": { content: '""' },
  },
});

const words = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-key)" },
  { tag: [tags.string, tags.special(tags.string), tags.content], color: "var(--fg)" },
  { tag: [tags.string, tags.attributeValue], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--code-number)" },
  { tag: [tags.keyword, tags.labelName, tags.typeName, tags.meta], color: "var(--code-keyword)" },
  { tag: [tags.comment, tags.lineComment], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--code-mark)" },
]);

export const codeTheme: Extension = [look, floating, problems, changes, syntaxHighlighting(words)];
