/** Frames around panes: rounded corners, a title in the rule above, a count in the rule below. */
import type { Theme } from '../theme.ts'
import { type Part, rule } from './line.ts'

export interface Section {
  title: readonly Part[]
  /** At the right end of the rule. */
  right?: readonly Part[]
  /** Each two columns narrower than the frame. */
  lines: readonly string[]
}

export interface FrameOptions {
  columns: number
  /** One below the other, a rule with a title above each. */
  sections: readonly Section[]
  /** In the rule below, at its right end: `1 of 41 207`. */
  footer?: readonly Part[]
  /** Whether keys go to this pane. */
  focused?: boolean
}

/** The lines of a frame: those of its sections, one rule above each and one below all. */
export function frame(theme: Theme, options: FrameOptions): string[] {
  const { columns, sections, footer = [], focused = false } = options
  const style = focused ? theme.frameFocused : theme.frame
  const { glyph } = theme
  const side = style(glyph.vertical)
  const lines: string[] = []
  sections.forEach((section, at) => {
    const corners = at === 0 ? [glyph.topLeft, glyph.topRight] : [glyph.teeLeft, glyph.teeRight]
    lines.push(titled(theme, columns, style, corners, section.title, section.right ?? []))
    for (const one of section.lines) lines.push(side + one + side)
  })
  lines.push(titled(theme, columns, style, [glyph.bottomLeft, glyph.bottomRight], [], footer))
  return lines
}

/** The parts of a title that names several views, the one in front standing out. */
export function tabs(theme: Theme, names: readonly string[], active: number): Part[] {
  return names.flatMap((name, at): Part[] => {
    const part: Part = at === active ? [text => theme.strong(theme.accent(text)), name] : [theme.dim, name]
    return at === 0 ? [part] : ['  ', part]
  })
}

function titled(
  theme: Theme,
  columns: number,
  style: (text: string) => string,
  corners: readonly string[],
  title: readonly Part[],
  right: readonly Part[],
): string {
  const inner = Math.max(0, columns - 2)
  const line: Part = [style, theme.glyph.horizontal]
  const before = title.length === 0 ? [] : [' ', ...title, ' ']
  const after = right.length === 0 ? [] : [' ', ...right, ' ', line]
  return style(corners[0]!) + rule(theme, inner, style, before, after) + style(corners[1]!)
}
