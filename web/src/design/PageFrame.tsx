// What every page has: a document title, one h1 that gets the focus when the place changes, breadcrumbs, actions.
import { Breadcrumb, BreadcrumbItem, Content, PageSection } from '@patternfly/react-core';
import { useEffect, useRef, type ReactNode } from 'react';
import { Link, useLocation } from 'react-router-dom';

export interface Crumb {
  text: string;
  to: string;
}

interface Props {
  title: string;
  about?: ReactNode;
  crumbs?: Crumb[];
  actions?: ReactNode;
  /** Leave the focus to something on the page. */
  keepFocus?: boolean;
  children: ReactNode;
}

let lastPlace = '';

export function PageFrame({ title, about, crumbs = [], actions, keepFocus = false, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { pathname } = useLocation();
  useEffect(() => {
    document.title = `${title} · OneAnalytics`;
  }, [title]);
  useEffect(() => {
    if (lastPlace !== '' && lastPlace !== pathname && !keepFocus) heading.current?.focus();
    lastPlace = pathname;
  }, [pathname, keepFocus]);
  return (
    <>
      <PageSection className="oa-head" aria-label="Page header">
        {crumbs.length > 0 && (
          <Breadcrumb className="oa-crumbs">
            {crumbs.map((crumb) => (
              <BreadcrumbItem
                key={crumb.to}
                render={({ className }) => (
                  <Link className={className} to={crumb.to}>
                    {crumb.text}
                  </Link>
                )}
              />
            ))}
            <BreadcrumbItem isActive>{title}</BreadcrumbItem>
          </Breadcrumb>
        )}
        <div className="oa-head-row">
          <div className="oa-title">
            <Content component="h1" ref={heading} tabIndex={-1}>
              {title}
            </Content>
            {about && (
              <Content component="p" className="oa-about">
                {about}
              </Content>
            )}
          </div>
          {actions && <div className="oa-actions">{actions}</div>}
        </div>
      </PageSection>
      <PageSection isFilled aria-label={title}>
        {children}
      </PageSection>
    </>
  );
}
