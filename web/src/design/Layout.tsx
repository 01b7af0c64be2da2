// The frame around every page of somebody who is signed in: masthead, navigation, the page.
import {
  Brand,
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadLogo,
  MastheadMain,
  MastheadToggle,
  Nav,
  NavGroup,
  NavItem,
  NavList,
  Page,
  PageSidebar,
  PageSidebarBody,
  PageToggleButton,
  SkipToContent,
} from '@patternfly/react-core';
import { type ReactNode } from 'react';
import { Link, useLocation } from 'react-router-dom';
import { useMe } from '../api/me';
import { AccountMenu } from './AccountMenu';
import { ThemeMenu } from './ThemeMenu';

export function Layout({ children }: { children: ReactNode }) {
  const me = useMe();
  const { pathname } = useLocation();
  const item = (to: string, text: string, active = pathname.startsWith(to)) => (
    <NavItem itemId={to} isActive={active}>
      <Link to={to} aria-current={active ? 'page' : undefined}>
        {text}
      </Link>
    </NavItem>
  );
  const masthead = (
    <Masthead className="oa-masthead" display={{ default: 'inline' }}>
      <MastheadMain>
        <MastheadToggle>
          <PageToggleButton isHamburgerButton aria-label="Navigation" />
        </MastheadToggle>
        <MastheadBrand>
          <MastheadLogo component={(props) => <Link {...props} to="/workspaces" />}>
            <Brand src="/icon.svg" alt="OneAnalytics" heights={{ default: '28px' }} />
            <span className="oa-brand">{me.tenant.name}</span>
          </MastheadLogo>
        </MastheadBrand>
      </MastheadMain>
      <MastheadContent>
        <div className="oa-masthead-end">
          <ThemeMenu />
          <AccountMenu />
        </div>
      </MastheadContent>
    </Masthead>
  );
  const sidebar = (
    <PageSidebar>
      <PageSidebarBody>
        <Nav aria-label="Pages">
          <NavList>
            {item('/workspaces', 'Workspaces', pathname.startsWith('/workspaces') || pathname.startsWith('/reports'))}
          </NavList>
          <NavGroup title="Settings">
            {me.may_back_up && item('/settings/backup', 'Backup')}
            {me.owner && item('/settings/audit', 'Audit')}
            {me.owner && item('/settings/keys', 'Keys')}
            {item('/settings/privacy', 'Privacy')}
            {item('/settings/tokens', 'API tokens')}
          </NavGroup>
        </Nav>
      </PageSidebarBody>
    </PageSidebar>
  );
  return (
    <Page
      masthead={masthead}
      sidebar={sidebar}
      isManagedSidebar
      mainContainerId="main"
      skipToContent={<SkipToContent href="#main">Skip to content</SkipToContent>}
    >
      {children}
    </Page>
  );
}
