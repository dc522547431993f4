// A component that is rendered again only if one of its properties is another value: what keeps the cost of a growing
// text at its end. It must not use hooks.

import { Component, type ComponentChildren, type ComponentClass } from "preact";

export function pure<P extends object>(view: (props: P) => ComponentChildren): ComponentClass<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return (Object.keys(next) as (keyof P)[]).some((key) => next[key] !== (this.props as P)[key]);
    }

    override render(): ComponentChildren {
      return view(this.props as P);
    }
  };
}
