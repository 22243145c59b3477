// Where the focus was before something opened over the page. Dialogs are opened from code, so they cannot know it.

const OVER_THE_PAGE = '[role="dialog"], [role="alertdialog"], [role="menu"], [role="listbox"]';

let last: HTMLElement | null = null;

/** Remembers what of the page itself has the focus, or was pressed, from now on. */
export function watchFocus(): void {
  const remember = (target: EventTarget | null) => {
    if (target instanceof HTMLElement && !target.closest(OVER_THE_PAGE)) last = target;
  };
  document.addEventListener("focusin", ({ target }) => remember(target));
  // A menu opens before its button has the focus.
  const press = ({ target }: Event) => remember(target instanceof Element ? target.closest("a, button") : null);
  document.addEventListener("pointerdown", press, { capture: true });
}

/** For `onCloseAutoFocus`. */
export function giveFocusBack(event: Event): void {
  event.preventDefault();
  if (last?.isConnected) last.focus();
}
