// Flow's mark: one thing leads to two.

export function Logo({ size = 22 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true" className="shrink-0">
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <g fill="none" stroke="var(--accent-fg)" strokeWidth="2.6" strokeLinecap="round">
        <path d="M10 16h3.2c3 0 2.8-6 6-6H21M10 16h3.2c3 0 2.8 6 6 6H21" />
      </g>
      <g fill="var(--accent-fg)">
        <circle cx="9" cy="16" r="3.2" />
        <circle cx="23" cy="10" r="3.2" />
        <circle cx="23" cy="22" r="3.2" />
      </g>
    </svg>
  );
}
